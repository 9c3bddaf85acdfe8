"""What trainings will cost: by like ones of the store, or by steps that are timed, within what timing can tell."""

import pytest
from studies import COMPUTE, STUDY, cells, content, study_of

from phase2.run import cost
from phase2.run.config import Config, validate
from phase2.run.cost import Cost, costs, told
from phase2.study.cell import cells_of
from phase2.study.pack import Folders, fill_pack


@pytest.fixture
def config(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> Config:
    """STUDY with two seeds, on data that is prepared."""
    monkeypatch.setattr(cost, "prepare", lambda dataset, data: folders.prepared)
    whole = content("studies.grid.axes", {**STUDY["axes"], "seed": [0, 1]}) | {"compute": {"device": "cpu"}}
    return validate(whole)


def cost_of(config: Config, folders: Folders) -> Cost:
    (found,) = costs(config, {"grid": cells_of("grid", config.studies["grid"])}, folders.store, folders.work)
    return found


def test_without_like_cells_steps_are_timed_and_nothing_is_left_of_them(config: Config, folders: Folders):
    found = cost_of(config, folders)
    assert (found.cells, found.known) == (8, 0)
    assert 0 < found.seconds < 60
    assert not folders.store.exists() or not list(folders.store.glob("*/*"))
    assert not folders.work.exists()


def test_cells_of_another_seed_or_lane_are_alike_and_count_their_seconds(
    config: Config, folders: Folders, monkeypatch: pytest.MonkeyPatch
):
    _, trained = fill_pack(cells(), study_of(), folders, COMPUTE)
    monkeypatch.setattr(cost, "_timed", lambda *_: pytest.fail("it times what it knows"))
    found = cost_of(config, folders)
    assert (found.cells, found.known) == (4, 4)  # of the other seed
    assert found.seconds == pytest.approx(4 * trained[0].seconds, rel=1e-3)


def test_cells_of_another_size_or_number_of_threads_are_not_alike(config: Config, folders: Folders):
    fill_pack(cells(), study_of(), folders, COMPUTE)
    axes = {**STUDY["axes"], "width": [6, 7]}
    wide = {"grid": cells(axes=axes)}
    (found,) = costs(config, wide, folders.store, folders.work)
    assert (found.cells, found.known) == (4, 0)
    more = config.model_copy(update={"compute": config.compute.model_copy(update={"threads": 2})})
    assert cost_of(more, folders).known == 0


def test_every_step_and_every_look_at_a_sample_counts_each_step_at_its_size(
    config: Config, folders: Folders, monkeypatch: pytest.MonkeyPatch
):
    """160 images in steps of 32, 40 to validate and 60 to test; the second epoch's images are smaller."""
    monkeypatch.setattr(cost, "_a_step", lambda training, epoch: [1.0, 0.25][epoch])
    monkeypatch.setattr(cost, "_a_sample", lambda training: 0.001)
    budget, network = {"epochs": 2, "batch_size": 32}, {"name": "cifar_resnet", "depth": 8, "width": 4}
    for sizes, trained in (({}, 5 * (0.25 + 0.25)), ({1: 4}, 5 * (1.0 + 0.25))):
        chosen = cells(model=network, budget=budget | {"sizes": sizes})
        (found,) = costs(config, {"grid": chosen}, folders.store, folders.work)
        assert found.seconds == pytest.approx(trained + 0.001 * (2 * 40 + 160 + 2 * 60))


def test_the_text_has_a_line_a_study_and_their_sum():
    found = [Cost("grid", 8, 4, 90.0), Cost("done", 0, 0, 0.0), Cost("deep", 2, 0, 7200.0)]
    assert told(found).splitlines() == [
        "grid: 8 cells, 1 min 30 s",
        "deep: 2 cells, 2 h 0 min",
        "to train: 10 cells, about 2 h 1 min here, one job at a time (4 by like ones in the store, "
        "6 by a few steps timed now)",
    ]
    assert told(found[1:2]) == "the store has every cell asked for"


def test_on_a_gpu_nothing_is_said_before_a_run(
    config: Config, folders: Folders, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(cost, "device_of", lambda wanted: "cuda")
    cost.say_on_cpu(config, {}, folders.store, folders.work)
    assert capsys.readouterr().err == ""

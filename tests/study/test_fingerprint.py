"""The fingerprint of code: changed by what changes a number, and by nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from studies import ROOT, STUDY, cells

from phase2 import registry
from phase2 import source as files
from phase2.errors import UserError
from phase2.probe.catalog import probe_code
from phase2.run.config import load
from phase2.study.cell import Cell
from phase2.study.code import components_of, dataset_code, training_code
from phase2.study.fingerprint import clear_cache, closure, fingerprint
from phase2.study.own import use_own
from phase2.study.score import card_of_score

LOOP = "phase2.train.loop"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the library, whose fingerprints are taken instead."""
    shutil.copytree(files.ROOT / "phase2", tmp_path / "phase2", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(files, "ROOT", tmp_path)
    clear_cache()
    yield tmp_path / "phase2"
    clear_cache()


@pytest.fixture
def edit(source: Path) -> Callable[[str, str, str], None]:
    """edit(file, old, new): as an editor would."""

    def edit(name: str, old: str, new: str) -> None:
        text = (source / name).read_text()
        assert old in text
        (source / name).write_text(text.replace(old, new, 1))
        clear_cache()

    return edit


def cell(**changes: object) -> Cell:
    return cells(**changes)[0]


ADAM = STUDY | {"optimizer": {"name": "adam", "lr": 0.01}}
COSMETIC = {
    "comment": ("from phase2.card import Card\n", "from phase2.card import Card  # a remark\n"),
    "docstring": ('"""lr throughout', '"""One lr throughout'),
    "blank lines": ("    return lr\n", "\n    return (\n        lr\n    )\n"),
}


@pytest.mark.parametrize("name", COSMETIC)
def test_comments_docstrings_and_formatting_change_nothing(name: str, edit: Callable[..., None]):
    before = training_code(cell().settings)
    edit("schedules/constant.py", *COSMETIC[name])
    assert training_code(cell().settings) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("optim/sgd.py", "1 - dampening", "2 - dampening"),
        ("nn/linear.py", "G.mT @ x", "2 * G.mT @ x"),
        ("task/seeding.py", ">> 1", ">> 2"),
        ("data/splits.py", "20090408", "20090409"),
        ("optim/clip.py", "1e-6)).clamp", "1e-7)).clamp"),
    ],
)
def test_arithmetic_anywhere_behind_a_cell_changes_its_fingerprint(
    file: str, old: str, new: str, edit: Callable[..., None]
):
    before = training_code(cell().settings)
    edit(file, old, new)
    assert training_code(cell().settings) != before


def test_an_optimizers_edit_changes_the_cells_that_use_it_alone(edit: Callable[..., None]):
    sgd, adam = training_code(cell().settings), training_code(cell(**ADAM).settings)
    edit("optim/adam.py", "beta2**t", "beta2 ** (t + 1)")
    assert training_code(cell().settings) == sgd
    assert training_code(cell(**ADAM).settings) != adam


@pytest.mark.parametrize("file", ["stats/paired.py", "figures/ranking.py", "report/latex.py", "study/tables.py"])
def test_what_comes_after_training_retrains_nothing(file: str, source: Path):
    before = training_code(cell().settings)
    (source / file).write_text("x = 1\n")
    clear_cache()
    assert training_code(cell().settings) == before


@pytest.mark.parametrize("kind", registry.ROOMS)
def test_a_new_part_changes_nothing(kind: str, source: Path):
    before = training_code(cell().settings)
    traits = {"task": {"metrics": ["accuracy"]}, "metric": {"better": "lower", "chance": 0.5}}.get(kind, {})
    card = f'CARD = Card("{kind}", "new", label="new", traits={traits})'
    room = source.parent / registry.ROOMS[kind].replace(".", "/")
    (room / "new.py").write_text(f"from phase2.card import Card\n\n{card}\n\n\ndef new(): ...\n")
    clear_cache()
    assert "new" in registry.names(kind)
    assert training_code(cell().settings) == before


def test_a_cards_label_and_definition_change_nothing(edit: Callable[..., None]):
    before = training_code(cell().settings)
    edit("nn/activation/relu.py", 'label="ReLU"', 'label="rectifier"')
    assert registry.part("activation", "relu").card.label == "rectifier"
    assert training_code(cell().settings) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("task/metrics/accuracy.py", '"better": "higher"', '"better": "lower"'),
        ("task/images.py", '"metrics": ("accuracy",)', '"metrics": ("accuracy", "accuracy")'),
        ("task/opening.py", 'name != "name"', 'name != "names"'),
    ],
)
def test_what_chooses_the_best_weights_and_opens_the_task_counts(
    file: str, old: str, new: str, edit: Callable[..., None]
):
    before = training_code(cell().settings)
    edit(file, old, new)
    assert training_code(cell().settings) != before


def test_how_a_score_is_told_and_what_a_diverged_run_is_given_train_nothing_again(edit: Callable[..., None]):
    before, score = training_code(cell().settings), card_of_score("images")
    edit("task/metrics/accuracy.py", '"unit": "%", "chance": "1/classes"', '"unit": "share", "chance": 0.5')
    assert training_code(cell().settings) == before
    assert card_of_score("images") == score | {"unit": "share", "chance": 0.5}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A folder of the user's with an activation that stands on a file that it shares."""
    folder = tmp_path / "tried_parts"
    folder.mkdir()
    card = 'from phase2.card import Card\n\nCARD = Card("activation", "Softsign", label="softsign")\n'
    (folder / "softsign.py").write_text(f"from tried_parts._shared import ONE\n{card}\n\nclass Softsign: one = ONE\n")
    (folder / "_shared.py").write_text("ONE = 1\n")
    use_own({"parts": [str(folder)]})
    yield folder
    use_own({})


def test_what_a_part_of_the_users_shares_with_others_counts(own: Path):
    softsign = (("activation", "softsign"),)
    before = fingerprint(components=softsign)
    (own / "_shared.py").write_text("ONE = 2\n")
    clear_cache()
    assert fingerprint(components=softsign) != before


def test_what_lies_beside_a_part_of_the_users_counts_as_it_may_be_read(own: Path):
    softsign = (("activation", "softsign"),)
    found = [fingerprint(components=softsign)]
    (own / "weights").mkdir()
    for text in ("1", "2"):
        (own / "weights" / "slope.json").write_text(text)
        clear_cache()
        found.append(fingerprint(components=softsign))
    assert len(set(found)) == 3
    (own / ".softsign.py.swp").write_text("an editor's")
    clear_cache()
    assert fingerprint(components=softsign) == found[-1]


def test_another_folder_of_parts_is_looked_at_in_the_same_process(own: Path, tmp_path: Path):
    softsign = (("activation", "softsign"),)
    before = fingerprint(components=softsign)
    shutil.copytree(own, tmp_path / "other" / "tried_parts")
    (tmp_path / "other" / "tried_parts" / "_shared.py").write_text("ONE = 2\n")
    use_own({"parts": [str(tmp_path / "other" / "tried_parts")]})
    assert fingerprint(components=softsign) != before


def test_two_folders_of_parts_of_one_name_are_refused(own: Path, tmp_path: Path):
    (tmp_path / "other" / "tried_parts").mkdir(parents=True)
    with pytest.raises(UserError, match="a folder is named twice, or two have one name"):
        use_own({"parts": [str(own), str(tmp_path / "other" / "tried_parts")]})


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ('cites="glorot201"', "unknown reference 'glorot201': did you mean 'glorot2010'?"),
        ('definition="$x / (1 + |x|)"', "the card's definition has a $ too many or too few"),
    ],
)
def test_what_would_stop_latex_is_refused_before_anything_is_trained(own: Path, field: str, fault: str):
    path = own / "softsign.py"
    path.write_text(path.read_text().replace('label="softsign"', f'label="softsign", {field}'))
    registry.forget()
    with pytest.raises(UserError, match=re.escape(fault)):
        use_own({"parts": [str(own)]})


def test_the_content_of_a_folder_of_data_is_part_of_its_code(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train.csv").write_text("a,label\n1,x\n2,y\n")
    sets = {"data": {"sets": {"mine": {"folder": str(tmp_path / "mine")}}}}
    use_own(sets)
    before = dataset_code("mine")
    (tmp_path / "mine" / "train.csv").write_text("a,label\n1,x\n3,y\n")
    use_own(sets)
    assert dataset_code("mine") != before
    use_own({})


def test_the_loop_does_not_stand_on_the_components_it_loads_by_name():
    assert not closure([LOOP]) & {
        "phase2.optim.adam",
        "phase2.optim.sgd",
        "phase2.nn.activation.relu",
        "phase2.models.mlp",
    }
    assert {"phase2.task.seeding", "phase2.optim.clip"} <= closure([LOOP])


def test_a_component_brings_its_module_and_what_that_imports():
    assert "phase2.optim.base" in closure([LOOP, "phase2.optim.adam"])
    assert fingerprint(LOOP, components=(("optimizer", "adam"),)) != fingerprint(LOOP)
    assert fingerprint(LOOP, components=(("init", "xavier"),)) != fingerprint(LOOP, components=(("init", "kaiming"),))


def test_a_cells_components_are_all_the_names_in_its_spec():
    assert components_of(cell(**ADAM).settings) == (
        ("task", "images"),
        ("metric", "accuracy"),
        ("model", "mlp"),
        ("activation", "relu"),
        ("norm", "none"),
        ("augmentation", "none"),
        ("tta", "none"),
        ("init", "kaiming"),
        ("schedule", "constant"),
        ("optimizer", "adam"),
        ("average", "none"),
    )


def test_package_files_and_the_registry_are_looked_through():
    found = closure(["phase2.study.pack"])
    assert "phase2.registry" not in found
    assert not {"phase2", "phase2.nn", "phase2.optim"} & found


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(UserError, match=r"no module phase2\.nowhere: expected .*phase2/nowhere\.py"):
        fingerprint("phase2.nowhere")


@pytest.mark.parametrize(
    ("content", "fault"), [(b"def f(:\n", "invalid syntax"), (b"# caf\xe9\n", "can't decode byte")]
)
def test_a_file_that_is_no_python_is_named(content: bytes, fault: str, source: Path):
    (source / "optim" / "sgd.py").write_bytes(content)
    clear_cache()
    with pytest.raises(UserError, match=rf"phase2/optim/sgd\.py cannot be read as Python: .*{fault}"):
        fingerprint("phase2.optim.sgd")


def test_a_probes_code_covers_the_optimizers_it_names_and_those_it_always_uses(edit: Callable[..., None]):
    desk = load([ROOT / "config.yaml"])
    before = {name: probe_code(desk.probes[name]) for name in ("rate_range", "approximation", "kernel_regime")}
    edit("optim/adam.py", "beta1, beta2 = ", "beta2, beta1 = ")
    after = {name: probe_code(desk.probes[name]) for name in before}
    assert {name for name in before if before[name] != after[name]} == {"rate_range"}


RANGE = "probe/range_test/card.py"


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        (RANGE, "    seeds: Seeds", "    noise: Count = Field(default=3, description='new')\n    seeds: Seeds", set()),
        (RANGE, "optimizer steps", "steps of the optimizer", set()),
        (RANGE, "STOP = 4.0", "STOP = 5.0", {"rate_range"}),
        ("probe/range_test/measure.py", "SMOOTHING = 0.9", "SMOOTHING = 0.8", {"rate_range"}),
        ("study/section.py", "NO_NORM = ", "NEW = 1\nNO_NORM = ", set()),
    ],
)
def test_a_probes_constants_count_and_its_options_do_not(
    file: str, old: str, new: str, changed: set[str], edit: Callable[..., None]
):
    probes = {"rate_range", "lsuv", "activation_shapes"}
    desk = load([ROOT / "config.yaml"])
    before = {name: probe_code(desk.probes[name]) for name in probes}
    edit(file, old, new)
    assert {name for name in probes if probe_code(desk.probes[name]) != before[name]} == changed


def test_what_a_new_option_imports_does_not_count(edit: Callable[..., None]):
    desk = load([ROOT / "config.yaml"])
    before = probe_code(desk.probes["rate_range"])
    edit(RANGE, "Count, Dataset, Positive", "Count, Dataset, Positive, Rate")
    edit(RANGE, "    seeds: Seeds", "    decay: Rate = Field(default=0.0, description='new')\n    seeds: Seeds")
    assert probe_code(desk.probes["rate_range"]) == before


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("of the best combinations", "of combinations", True),
        ('("ranking", "levels", "score")', '("levels", "ranking", "score")', True),
        ("blank(", "blank(2 * ", False),
    ],
)
def test_a_figures_card_is_not_in_its_code(old: str, new: str, same: bool, edit: Callable[..., None]):
    before = fingerprint("phase2.figures.ranking")
    edit("figures/ranking.py", old, new)
    assert (fingerprint("phase2.figures.ranking") == before) is same


def test_a_process_takes_the_digests_of_another_and_only_for_the_very_text(source: Path, edit: Callable[..., None]):
    first = fingerprint(LOOP)
    digests = json.loads((source.parent / files.REMEMBERED).read_text())
    assert len(digests) >= len(closure([LOOP]))
    clear_cache()
    assert fingerprint(LOOP) == first
    edit("optim/clip.py", "1e-6)).clamp", "1e-7)).clamp")
    assert fingerprint(LOOP) != first


def test_a_fingerprint_does_not_depend_on_the_locale(source: Path):
    """Some of the modules have letters that are not ASCII in their strings."""
    (source / "schedules" / "accents.py").write_text('NAME = "Gauß–Newton, Παράδειγμα"\n', encoding="utf-8")
    code = "from phase2.study.fingerprint import fingerprint; print(fingerprint('phase2.schedules.accents'))"
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(source.parent)}
    taken = set()
    for locale in ("C", "C.UTF-8"):
        shutil.rmtree(source.parent / ".phase2", ignore_errors=True)
        environ = os.environ | plain | {"LC_ALL": locale}
        run = subprocess.run([sys.executable, "-c", code], env=environ, cwd=source.parent, stdout=subprocess.PIPE)
        assert run.returncode == 0
        taken.add(run.stdout)
    assert len(taken) == 1


def test_digests_that_are_damaged_or_cannot_be_kept_change_nothing(source: Path):
    first = fingerprint(LOOP)
    (source.parent / files.REMEMBERED).write_text("{")
    clear_cache()
    assert fingerprint(LOOP) == first
    shutil.rmtree(source.parent / ".phase2")
    (source.parent / ".phase2").write_text("a file where a folder should be")
    clear_cache()
    assert fingerprint(LOOP) == first

"""A probe of a configuration from its inputs to its tables, with trained networks read back from their weights."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny import write_tiny

from phase2 import registry
from phase2.data.prepared import Prepared, open_prepared
from phase2.errors import UserError
from phase2.models import MLP
from phase2.probe.catalog import PROBES
from phase2.probe.runs import read_runs
from phase2.run import measure as run_measure
from phase2.run.config import Config, validate
from phase2.run.measure import measure
from phase2.study.cell import Cell, cells_of
from phase2.study.code import training_code
from phase2.study.store import key_of

STUDY = {
    "question": "?",
    "task": {"dataset": "digits", "validation": 40},
    "model": {"name": "mlp", "width": 6, "depth": 2, "norm": "batch"},
    "optimizer": {"name": "sgd", "lr": 0.05},
    "budget": {"epochs": 1, "batch_size": 32},
    "axes": {"activation": ["relu", "tanh"], "seed": [0, 1]},
    "figures": [],
}
SHAPES = {"probe": "activation_shapes", "question": "?", "activations": ["relu"], "points": 11, "figures": []}
HEALTH = {"probe": "unit_health", "question": "?", "study": "grid", "batch": 20, "figures": []}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    write_tiny(tmp_path / "data" / "prepared" / "digits")
    content = {"run": "test", "data": {"folder": str(tmp_path / "data")}, "studies": {"grid": STUDY}}
    return validate(content | {"probes": {"shapes": SHAPES, "health": HEALTH}})


@pytest.fixture
def data(config: Config) -> Prepared:
    return open_prepared(config.data.folder / "prepared" / "digits")


@pytest.fixture
def cells(config: Config, data: Prepared, tmp_path: Path) -> list[Cell]:
    """The cells of the study, with weights as a training leaves them; the last one diverged."""
    cells = cells_of("grid", config.studies["grid"])
    for number, cell in enumerate(cells):
        path = tmp_path / cell.study / cell.partition / "best.safetensors"
        path.parent.mkdir(parents=True)
        torch.manual_seed(number)
        model = MLP(64, 3, width=6, depth=2, norm="batch", activation=cell.settings["model"]["activation"])
        key = key_of(cell, training_code(cell.settings), data.hash)
        save_file({} if cell is cells[-1] else model.state_dict(), path, metadata={"key": key})
    return cells


def test_a_probe_that_loads_a_part_which_it_does_not_name_is_refused(config, cells, data, tmp_path: Path, monkeypatch):
    real = run_measure.load

    def with_adam(kind: str):
        def measured(options, **inputs):
            registry.load("activation", "relu")  # named by the options, or by a cell
            registry.load("optimizer", "adam")
            return real(kind)(options, **inputs)

        return measured

    monkeypatch.setattr(run_measure, "load", with_adam)
    for name, probe in {"shapes": "activation_shapes", "health": "unit_health"}.items():
        with pytest.raises(
            UserError, match=rf"{probe} loads the optimizer adam, .* add \('optimizer', 'adam'\) to uses"
        ):
            measure(name, config, tmp_path)
        monkeypatch.setattr(PROBES[probe], "uses", (("optimizer", "adam"),))
        measure(name, config, tmp_path)


def test_a_column_of_which_the_card_says_nothing_is_named(config, tmp_path: Path, monkeypatch):
    columns = {name: says for name, says in PROBES["activation_shapes"].columns.items() if name != "second"}
    monkeypatch.setattr(PROBES["activation_shapes"], "columns", columns)
    with pytest.raises(UserError, match=r"activation_shapes: columns in its card says nothing of shapes.second: add"):
        measure("shapes", config, tmp_path)
    monkeypatch.setattr(PROBES["activation_shapes"], "columns", {})  # as one of the user's that says nothing
    measure("shapes", config, tmp_path)


def test_networks_come_back_with_their_weights_and_axes_in_evaluation_mode(cells, data, tmp_path: Path):
    runs = read_runs(cells, tmp_path, data)
    assert [run.axes for run in runs] == [dict(cell.axes) for cell in cells[:-1]]
    torch.manual_seed(1)
    expected = MLP(64, 3, width=6, depth=2, norm="batch", activation="relu").eval()
    x = torch.randn(5, 64)
    assert torch.equal(runs[1].model(x), expected(x))
    assert not any(module.training for run in runs for module in run.model.modules())


def test_a_damaged_file_of_weights_is_named_with_the_way_to_mend_it(cells, data, tmp_path: Path):
    path = tmp_path / "grid" / cells[0].partition / "best.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"best\.safetensors cannot be used .*: run `snakemake`, which restores it"):
        read_runs(cells, tmp_path, data)


def test_weights_of_other_data_are_refused(cells, data, tmp_path: Path):
    other = Prepared(data.folder, data.arrays, data.meta | {"hash": "0" * 64})
    with pytest.raises(UserError, match=r"they are of another cell, other code or other data"):
        read_runs(cells, tmp_path, other)


@pytest.mark.parametrize("name", ["shapes", "health"])
def test_a_probe_makes_the_tables_of_its_card_and_says_what_from(name: str, config, cells, data, tmp_path: Path):
    tables, provenance = measure(name, config, tmp_path)
    probe = config.probes[name]
    assert set(tables) == set(probe.tables)
    assert all(len(table) for table in tables.values())
    assert provenance["probe"] == probe.probe
    assert provenance["options"] == probe.model_dump(mode="json", exclude={"question", "figures"})
    assert provenance["data"] == ({"data": data.hash} if probe.inputs else {})
    assert provenance["cells"] == ([cell.id for cell in cells] if "runs" in probe.inputs else [])

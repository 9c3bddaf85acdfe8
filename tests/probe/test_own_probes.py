"""A probe of the user's own is as good as one of the package, and a wrong one is refused with its file and line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from studies import content

from phase2 import registry
from phase2.errors import UserError
from phase2.figures.catalog import STUDY, check, drawing, figures
from phase2.figures.catalog import load as load_figure
from phase2.probe.catalog import PROBES, load, probe_code, probes
from phase2.run.config import Config, schema, validate
from phase2.study.fingerprint import clear_cache

FILES = {
    "card.py": '''"""How many weights are near zero."""

from phase2.probe.options import Probe

LIMIT = 2


class Options(Probe):
    tables = ("shares",)
    inputs = ("runs",)

    study: str
    below: float = 0.01
''',
    "measure.py": "from tried_parts.near_zero._tools import share\n\n\ndef measure(options, runs):\n    return share\n",
    "_tools.py": "def share():\n    return 1\n",
    "draw.py": """from phase2.card import FigureCard

CARD = FigureCard(("shares",), "Weights near zero.")


def near_zero(*, shares):
    return shares
""",
}
SECTION = {"probe": "near_zero", "question": "How many?", "study": "grid", "figures": ["near_zero"]}


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Path]:
    """The folder of a probe in a folder of the user's parts, which nobody has looked at yet."""
    folder = tmp_path / "tried_parts" / "near_zero"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    yield folder
    registry.use([])


def run(probe: Path, /, **changes: Any) -> Config:
    """A configuration with the probe, read as a command would that starts now."""
    clear_cache()
    config = validate(content() | {"parts": [str(probe.parent)], "probes": {"zero": SECTION | changes}})
    check(config.probes["zero"].figures, "near_zero", config.probes["zero"].tables)
    return config


def edit(path: Path, old: str, new: str) -> None:
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


def test_a_folder_of_the_users_is_a_probe_with_its_figure(probe: Path):
    config = run(probe, below=0.1)
    assert config.model_dump(mode="json")["probes"]["zero"] == SECTION | {"chapter": "foundations", "below": 0.1}
    assert config.datasets_of("zero") == {"data": "digits"}, "networks are read with the data of their study"
    assert load("near_zero").__module__ == "tried_parts.near_zero.measure"
    assert load_figure("near_zero")(shares=3) == 3
    assert drawing("near_zero").of == "near_zero"
    assert set(probes()) == {*PROBES, "near_zero"}
    assert "NearZero" not in schema()["$defs"], "what an editor is told of is the package's"
    registry.use([])
    assert "near_zero" not in {*probes(), *figures()}


def test_a_figure_of_the_users_is_one_of_studies(probe: Path):
    (probe.parent / "cloud.py").write_text(FILES["draw.py"].replace("near_zero", "cloud").replace("shares", "cells"))
    run(probe)
    check(["cloud"], STUDY)
    assert drawing("cloud").module == "tried_parts.cloud"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"probe": "near_zeros"}, "probes.zero: unknown probe 'near_zeros': did you mean 'near_zero'?"),
        ({"belw": 1.0}, "probes.zero.belw: unknown key 'belw': did you mean 'below'?"),
        ({"below": "much"}, "probes.zero.below: Input should be a valid number"),
        ({"study": "grit"}, "probes.zero.study: unknown study 'grit': did you mean 'grid'?"),
        ({"figures": ["near_one"]}, "unknown figure of the probe near_zero 'near_one': did you mean 'near_zero'?"),
    ],
)
def test_a_wrong_value_of_it_is_told_as_of_any_probe(changes: dict[str, Any], message: str, probe: Path):
    with pytest.raises(UserError) as error:
        run(probe, **changes)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("file", "old", "new", "counts"),
    [
        ("measure.py", "return share", "return None", True),
        ("_tools.py", "return 1", "return 2", True),
        ("card.py", "LIMIT = 2", "LIMIT = 3", True),
        ("card.py", "below: float = 0.01", "below: float = 0.02", True),
        ("card.py", "How many weights", "The share of weights", False),
        ("draw.py", "return shares", "return None", False),
    ],
)
def test_its_code_is_all_that_decides_its_tables(file: str, old: str, new: str, counts: bool, probe: Path):
    before = probe_code(run(probe).probes["zero"])
    edit(probe / file, old, new)
    assert (probe_code(run(probe).probes["zero"]) != before) is counts


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda probe: edit(probe / file, old, new)


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no card": (lambda probe: (probe / "card.py").unlink(), "near_zero has no card.py: write it, with class Options"),
    "no function": (lambda probe: (probe / "measure.py").unlink(), "near_zero has no measure.py: write it, with def"),
    "no options": (
        lambda probe: (probe / "card.py").write_text("ONE = 1\n"),
        "near_zero/card.py is no card of a probe",
    ),
    "a card that cannot be imported": (
        replaced("card.py", "study: str", "study: sttr"),
        "card.py, line 12: NameError: name 'sttr' is not defined",
    ),
    "a field without a type": (
        replaced("card.py", "study: str", "study = 3"),
        "card.py, line 8: PydanticUserError: A non",
    ),
    "tables without a comma": (
        replaced("card.py", '("shares",)', '("shares")'),
        """card.py, line 9: tables is 'shares', expected names in brackets, such as ("shares",)""",
    ),
    "a table that is taken": (
        replaced("card.py", '"shares"', '"provenance"'),
        "card.py, line 9: a file provenance lies beside the tables: choose another name",
    ),
    "columns without what they are": (
        replaced("card.py", "    study: str", '    columns = ["share"]\n\n    study: str'),
        "columns is ['share'], expected what each is",
    ),
    "an unknown input": (
        replaced("card.py", '"runs"', '"rns"'),
        "card.py, line 10: unknown input 'rns': did you mean 'runs'?",
    ),
    "inputs without a comma": (
        replaced("card.py", '("runs",)', '"runs"'),
        "card.py, line 10: inputs is 'runs', expected",
    ),
    "no study to read": (
        replaced("card.py", "study: str", "of: str"),
        "card.py, line 10: no option says whose runs: add a field study, or leave runs out",
    ),
    "a part that is not there": (
        replaced("card.py", "    study: str", '    uses = (("activation", "rleu"),)\n\n    study: str'),
        "card.py, line 12: ('activation', 'rleu') is no part: expected kinds and names, such as",
    ),
    "a function of other inputs": (
        replaced("measure.py", "options, runs", "options, data"),
        "measure.py, line 4: measure takes options, data, and the card's inputs ask for options, runs",
    ),
    "a function of another name": (
        replaced("measure.py", "def measure", "def measures"),
        "measure.py: unknown class or function 'measure': did you mean 'measures'?",
    ),
    "a drawing of another name": (
        replaced("draw.py", "def near_zero", "def near_one"),
        "draw.py: unknown class or func",
    ),
    "a drawing of other tables": (
        replaced("draw.py", '"shares"', '"shares", "sizes"'),
        "draw.py: the card's tables are shares, sizes, and near_zero takes shares: make them the same",
    ),
    "a drawing of no table of it": (
        lambda probe: (probe / "draw.py").write_text(FILES["draw.py"].replace("shares", "share")),
        "draw.py: unknown table of the probe near_zero 'share': did you mean 'shares'? Known: shares",
    ),
    "two probes": (
        lambda probe: probe.rename(probe.parent / "mean_field"),
        "are both the probe mean_field: rename one",
    ),
    "two figures": (
        lambda probe: (probe / "ranking.py").write_text(FILES["draw.py"]),
        "phase2/figures/ranking.py are both the figure ranking: rename one file",
    ),
    "a part of its name": (
        lambda probe: probe.with_suffix(".py").write_text(FILES["draw.py"]),
        "near_zero.py would be imported by one name: rename one",
    ),
    "no name in Python": (
        lambda probe: probe.rename(probe.parent / "near-zero"),
        "near-zero: Python imports nothing of",
    ),
    "a package": (lambda probe: (probe / "__init__.py").touch(), "near_zero/__init__.py: remove it"),
    "a relative import": (
        replaced("measure.py", "from tried_parts.near_zero._tools", "from ._tools"),
        "measure.py, line 1: write from tried_parts.near_zero._tools import ...",
    ),
    "what is not there": (
        lambda probe: (probe / "_tools.py").write_text("import nowhere\n"),
        "_tools.py, line 1: there is no module nowhere: install it in .venv, or mend the import",
    ),
    "no Python": (lambda probe: (probe / "_tools.py").write_text("def f(:\n"), "_tools.py cannot be read as Python"),
}


@pytest.mark.parametrize(("spoil", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_one_is_refused_with_its_file(spoil: Callable[[Path], Any], message: str, probe: Path):
    spoil(probe)
    with pytest.raises(UserError) as error:
        run(probe)
    assert message in str(error.value)
    assert str(error.value).count(str(probe.parent)) <= 2, "it is said once"


def test_a_folder_whose_name_begins_with_an_underscore_is_no_probe(probe: Path):
    (probe / "card.py").unlink()
    probe.rename(probe.parent / "_near_zero")
    (probe.parent / "cloud.py").write_text(FILES["draw.py"].replace("near_zero", "cloud"))
    validate(content() | {"parts": [str(probe.parent)]})
    assert probes().keys() == PROBES.keys()

"""Parts: each name leads to what it names, a wrong one is told the nearest, and the user's own are parts too."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phase2 import registry
from phase2.errors import UserError, unknown
from phase2.registry import ROOMS, load, names, part, parts
from phase2.study.results import history_columns

pytestmark = pytest.mark.quick

ENTRIES = [(kind, name) for kind in ROOMS for name in names(kind)]
SOFTSIGN = """
from phase2.card import Card

CARD = Card("activation", "Softsign", label="softsign", definition="$x / (1 + |x|)$")


class Softsign: ...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of the user's parts, which nobody has looked at yet."""
    (tmp_path / "tried_parts").mkdir()
    yield tmp_path / "tried_parts"
    registry.use([])


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_name_leads_to_its_part(kind: str, name: str):
    assert callable(load(kind, name))
    assert part(kind, name).card.kind == kind


@pytest.mark.parametrize("kind", ROOMS)
def test_an_unknown_name_is_told_the_nearest(kind: str):
    known = names(kind)[-1]
    with pytest.raises(UserError, match=rf"unknown {kind} '{known}x': did you mean '{known}'\? Known: "):
        part(kind, f"{known}x")
    with pytest.raises(UserError, match=f"unknown {kind} 'zzzzzzzz': Known: "):
        load(kind, "zzzzzzzz")


def test_all_known_names_are_listed_in_order():
    assert str(unknown("axis", "seeds", ["width", "seed"])) == (
        "unknown axis 'seeds': did you mean 'seed'? Known: seed, width"
    )


def test_a_user_error_is_a_value_error():
    assert issubclass(UserError, ValueError)


def test_the_registry_imports_nothing_until_a_part_is_loaded():
    code = """
import sys
from phase2 import registry
registry.names("model")
assert not {"torch", "numpy"} & sys.modules.keys()
registry.load("schedule", "cosine")
assert "phase2.schedules.cosine" in sys.modules
assert "phase2.models.mlp" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_file_of_the_users_is_a_part_after_those_with_an_order(folder: Path):
    (folder / "softsign.py").write_text(SOFTSIGN)
    (folder / "_shared.py").write_text("ONE = 1\n")
    registry.use([folder])
    assert names("activation")[-1] == "softsign"
    assert part("activation", "softsign").target == "tried_parts.softsign:Softsign"
    assert load("activation", "softsign").__name__ == "Softsign"


def metric(**traits: object) -> str:
    return f"CARD = Card('metric', 'error', label='error', traits={traits})\n\n\ndef error(outputs, targets): ...\n"


WRONG = {
    "a metric without a guess": (metric(better="lower"), "says what guessing scores, which a diverged run is given"),
    "a metric whose guess is a word": (metric(better="lower", chance="half"), 'traits={"chance": 0.5}, or "1/classes"'),
    "a metric whose unit is no text": (metric(better="lower", chance=0.5, unit=3), "the unit of a metric is a text"),
    "no card": ("import math\n", "tried_parts/softsign.py has no card: write CARD = Card"),
    "not literal": (
        SOFTSIGN.replace('"softsign"', '"soft" + SIGN'),
        "softsign.py, line 4: the card is not literal",
    ),
    "no card at all": ("CARD = 3\n", "softsign.py, line 1: CARD is not a Card: write CARD = Card"),
    "no label": (
        "CARD = Card('activation', 'Softsign')\n",
        "1: the Card missing 1 required positional argument: 'label'",
    ),
    "unknown field": (
        SOFTSIGN.replace("definition", "defintion"),
        "unknown field of a Card 'defintion'",
    ),
    "unknown kind": (
        SOFTSIGN.replace('"activation"', '"activatoin"'),
        "unknown kind of part 'activatoin'",
    ),
    "a number for text": (SOFTSIGN.replace('"softsign"', "3"), "line 4: the card's label is 3, expected text"),
    "another target": (SOFTSIGN.replace('"Softsign"', '"SoftSing"'), "class or function 'SoftSing': did you mean"),
    "a task without metrics": (
        SOFTSIGN.replace('"activation"', '"task"'),
        'softsign.py: a task\'s card names its metrics: traits={"metrics": ("accuracy",)}',
    ),
    "a metric without a direction": (
        SOFTSIGN.replace('"activation"', '"metric"'),
        "softsign.py: a metric's card says which is better",
    ),
    "a relative import": (
        f"from . import _shared\n{SOFTSIGN}",
        "softsign.py, line 1: write from tried_parts. import ...",
    ),
    "what is not there": (
        f"{SOFTSIGN}\nimport nowhere.at_all\n",
        "softsign.py, line 9: there is no module nowhere.at_all: install it in .venv, or mend the import",
    ),
    "a module beside the folder": (
        f"import beside\n{SOFTSIGN}",
        "where no edit of it counts: move it into tried_parts, or mend the import",
    ),
    "an order that is no number": (
        SOFTSIGN.replace('label="softsign"', 'label="softsign", order="first"'),
        "line 4: the card's order is 'first', expected a whole number",
    ),
    "options without names": (
        SOFTSIGN.replace('label="softsign"', 'label="softsign", options=["a"]'),
        "line 4: the card's options is ['a'], expected names with what they stand for",
    ),
    "an option that is none": (
        SOFTSIGN.replace('label="softsign"', 'label="softsign", options={"a": "b"}'),
        "line 4: the card's options is {'a': 'b'}, expected of each name an Option",
    ),
    "traits without names": (
        SOFTSIGN.replace('label="softsign"', 'label="softsign", traits=["better"]'),
        "line 4: the card's traits is ['better'], expected names with what they stand for",
    ),
    "no Python": ("def f(:\n", "softsign.py cannot be read as Python"),
    "a null byte": (f"{SOFTSIGN}\0", "softsign.py cannot be read as Python"),
}


@pytest.mark.parametrize(("content", "fault"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_part_is_refused_with_file_and_line(content: str, fault: str, folder: Path):
    (folder / "softsign.py").write_text(content)
    (folder.parent / "beside.py").write_text("ONE = 1\n")
    registry.use([folder])
    with pytest.raises(UserError) as error:
        names("activation")
    assert fault in str(error.value)


def test_two_parts_of_one_name_are_refused_with_both_files(folder: Path):
    (folder / "relu.py").write_text(SOFTSIGN)
    registry.use([folder])
    with pytest.raises(
        UserError, match=r"tried_parts/relu\.py and .*activation/relu\.py are both the activation relu: rename"
    ):
        names("activation")


def test_parts_of_two_kinds_with_one_name_have_one_label(folder: Path):
    (folder / "cosine.py").write_text(SOFTSIGN)
    registry.use([folder])
    with pytest.raises(UserError, match=r"tried_parts/cosine\.py .*have one name and two labels: rename one file"):
        names("activation")


def test_a_folder_that_holds_no_part_is_refused(folder: Path):
    registry.use([folder])
    with pytest.raises(UserError, match="tried_parts holds no part, which is a file such as"):
        names("activation")


def test_a_shared_file_may_import_no_more_than_a_part(folder: Path):
    (folder / "softsign.py").write_text(SOFTSIGN)
    (folder / "_shared.py").write_text("from .softsign import Softsign\n")
    registry.use([folder])
    with pytest.raises(UserError, match=r"_shared\.py, line 1: write from tried_parts\.softsign import"):
        names("activation")


def test_a_folder_of_parts_is_no_package(folder: Path):
    (folder / "softsign.py").write_text(SOFTSIGN)
    (folder / "__init__.py").write_text("from tried_parts.softsign import Softsign as Other\n")
    registry.use([folder])
    with pytest.raises(UserError, match=r"tried_parts/__init__\.py: remove it"):
        names("activation")


@pytest.mark.parametrize("name", ["json", "torch", "phase2", "my-parts"])
def test_a_folder_has_a_name_of_its_own(name: str, tmp_path: Path):
    with pytest.raises(UserError, match=f"parts: (Python has another {name} in|{name} is no name that) .*: rename the"):
        registry.use([tmp_path / name])


def test_parts_are_shown_in_their_order():
    for kind in ROOMS:
        orders = [each.card.order for each in parts(kind).values()]
        assert orders == sorted(orders)
        assert len(set(orders)) == len(orders)


def test_a_metric_is_not_called_as_another_column_of_the_results(folder: Path):
    (folder / "grad_norm.py").write_text(metric(better="lower", chance=0.5))
    registry.use([folder])
    with pytest.raises(UserError, match=r"grad_norm\.py: the results have grad_norm already: rename the file"):
        names("metric")


def test_no_metric_can_be_called_as_a_column_of_learning_curves():
    assert set(history_columns([])) <= registry.TAKEN

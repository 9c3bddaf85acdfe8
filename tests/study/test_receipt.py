"""A receipt tells whether results are those that are wanted now, and if not, in which way."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from phase2.checksums import Checksums
from phase2.study.receipt import disagreement, made_from, write_receipt

FILES = {"input.csv": "a,b\n1,2\n", "script.py": '"""Draws."""\nprint(1)\n', "job.py": "", "output.csv": "b\n2\n"}
OPTIONS: dict[str, Any] = {"code": "abc", "options": {"width": 3, "rates": [0.1, 0.2]}}


class Result:
    """One result with its input, its script and its receipt, in the current folder."""

    def __init__(self) -> None:
        for name, content in FILES.items():
            Path(name).write_text(content)
        self.params, self.inputs, self.outputs = OPTIONS, ["input.csv"], ["output.csv"]
        checksums = Checksums(None)
        write_receipt(
            Path("receipt.json"),
            self.made_from(),
            {path: checksums.of(path) for path in self.inputs},
            {path: checksums.of(path) for path in self.outputs},
        )

    def made_from(self) -> dict[str, Any]:
        return made_from(SimpleNamespace(items=self.params.items), Path("script.py"))

    def disagreement(self) -> str | None:
        return disagreement(Path("receipt.json"), self.made_from(), self.inputs, self.outputs, Checksums(None))


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(tmp_path)
    return Result()


def test_what_nobody_changed_agrees(result: Result):
    assert result.disagreement() is None
    Path("script.py").write_text(FILES["script.py"] + "# a remark\n")
    Path("input.csv").touch()
    assert result.disagreement() is None


def test_an_input_that_is_not_there_is_its_own_rules_to_make(result: Result):
    Path("input.csv").unlink()
    assert result.disagreement() is None


CHANGES: dict[str, tuple[Any, str]] = {
    "an option": (
        lambda r: setattr(r, "params", OPTIONS | {"options": {"width": 4, "rates": [0.1, 0.2]}}),
        "params.options.width changed",
    ),
    "an option less": (
        lambda r: setattr(r, "params", {"code": "abc", "options": {"width": 3}}),
        "params.options.rates changed",
    ),
    "the code": (lambda r: setattr(r, "params", OPTIONS | {"code": "abd"}), "params.code changed"),
    "the script": (lambda r: Path("script.py").write_text("print(2)\n"), "script changed"),
    "what all scripts share": (lambda r: Path("job.py").write_text("print(2)\n"), "script changed"),
    "an input's bytes": (
        lambda r: Path("input.csv").write_text("a,b\n1,3\n"),
        "what it was made from changed (input.csv)",
    ),
    "an input more": (
        lambda r: r.inputs.append("other.csv"),
        "it was made from other files (other.csv)",
    ),
    "an input less": (lambda r: r.inputs.clear(), "it was made from other files (input.csv)"),
    "an output's bytes": (lambda r: Path("output.csv").write_text("b\n3\n"), "output.csv is not as it was written"),
    "an output gone": (lambda r: Path("output.csv").unlink(), "output.csv is not as it was written"),
    "an output more": (lambda r: r.outputs.append("new.csv"), "nothing says what new.csv was made from"),
    "no receipt": (lambda r: Path("receipt.json").unlink(), "nothing says what it was made from"),
    "a cut receipt": (lambda r: Path("receipt.json").write_text('{"made'), "receipt.json cannot be read"),
    "a receipt of other shapes": (
        lambda r: Path("receipt.json").write_text('{"made_from": {}, "inputs": {}, "outputs": ["a"]}'),
        "receipt.json cannot be read",
    ),
    "a receipt of another kind": (lambda r: Path("receipt.json").write_text("[]"), "receipt.json cannot be read"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changed_is_named(change, said: str, result: Result):
    change(result)
    assert (result.disagreement() or "").startswith(said)

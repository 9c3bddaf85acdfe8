"""What is asked of a probe in a folder of the user's, before anything is computed."""

import re
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from types import ModuleType

from phase2 import registry, source
from phase2.card import arguments_of
from phase2.errors import UserError, unknown
from phase2.probe.options import Probe

NAMED_BY = {"data": ("study", "dataset"), "runs": ("study",), "unfamiliar": ("unfamiliar",)}  # fields, of each input
TAKEN = ("provenance", "receipt")  # files beside the tables


def imported(path: Path) -> ModuleType:
    """A card, imported; raises `UserError` with the line of it that whatever is raised comes from."""
    try:
        return import_module(registry.module_of(path))
    except Exception as error:
        lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = f"{path}, line {lines[-1]}" if lines else str(path)
        told = f"{type(error).__name__}: {error}".splitlines()[0]
        raise UserError(f"{place}: {told}") from None


def check(folder: Path, options: type[Probe]) -> None:
    """Raises `UserError`, naming file and line, for options that a run cannot use, or a function of other inputs."""
    card, function = folder / "card.py", folder / "measure.py"
    tables, inputs = options.tables, options.inputs
    if not isinstance(tables, tuple) or not tables or not all(str(name).isidentifier() for name in tables):
        raise _wrong(card, "tables", f'tables is {tables!r}, expected names in brackets, such as ("shares",)')
    if taken := [name for name in tables if name in TAKEN]:
        raise _wrong(card, "tables", f"a file {taken[0]} lies beside the tables: choose another name")
    if not isinstance(inputs, tuple):
        raise _wrong(card, "inputs", f'inputs is {inputs!r}, expected names in brackets, such as ("data",), or ()')
    for name in inputs:
        if name not in NAMED_BY:
            raise _wrong(card, "inputs", str(unknown("input", name, NAMED_BY)))
        if not options.model_fields.keys() & set(NAMED_BY[name]):
            fields = " or ".join(NAMED_BY[name])
            raise _wrong(card, "inputs", f"no option says whose {name}: add a field {fields}, or leave {name} out")
    told = options.columns
    if not isinstance(told, dict) or not all(isinstance(text, str) for each in told.items() for text in each):
        raise _wrong(card, "columns", f'columns is {told!r}, expected what each is, such as {{"share": "part of all"}}')
    known = [(kind, name) for kind in registry.ROOMS for name in registry.names(kind)]
    if wrong := [part for part in options.uses if part not in known]:
        raise _wrong(card, "uses", f'{wrong[0]!r} is no part: expected kinds and names, such as (("init", "kaiming"),)')
    try:
        takes = list(arguments_of(source.parsed(function), "measure"))
    except UserError as error:
        raise UserError(f"{function}: {error}") from None
    if not takes or set(takes[1:]) != set(inputs):
        wanted, found = ", ".join(["options", *inputs]), ", ".join(takes) or "nothing"
        raise _wrong(function, "def measure", f"measure takes {found}, and the card's inputs ask for {wanted}")


def _wrong(path: Path, begins: str, fault: str) -> UserError:
    """The error for a line of a file, told by how it begins; the one of its options, if there is none."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    found = [number for number, line in lines if re.match(rf"\s*(class Options|{begins})\b", line)]
    return UserError(f"{path}, line {max(found, default=1)}: {fault}")

"""What a notebook shows and imports, read from its code: what its page depends on. Imports no Jupyter and no pandas."""

import ast
import json
from pathlib import Path
from typing import NamedTuple

from phase2.errors import UserError

SHOWS = ("probes", "studies", "study_of", "derivation")  # functions of `phase2.report.display`, by a name


class Shown(NamedTuple):
    """Kinds of probes, names of studies, axes of studies, derivations; and the modules of phase2 that it imports."""

    probes: list[str]
    studies: list[str]
    axes: list[str]
    derivations: list[str]
    modules: list[str]


def shown_by(notebook: Path) -> Shown:
    """What the code of a notebook shows; raises `UserError` for a notebook or a cell that cannot be read."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        nodes = list(ast.walk(ast.parse("\n".join(code))))
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        raise UserError(f"cannot read the notebook {notebook} ({error}): check it out again") from None
    named: dict[str, set[str]] = {name: set() for name in SHOWS}
    modules = set()
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id=function), args=[ast.Constant(value=str(name))]) if function in SHOWS:
                named[function].add(name)
            case ast.ImportFrom(module=str(module)) if module.startswith("phase2"):
                modules.add(module)
    return Shown(*map(sorted, [*named.values(), modules]))

"""The fingerprint of code: what a result depends on, and nothing else.

A fingerprint hashes the syntax trees, without docstrings and comments, of the phase2 modules that an entry module
imports, transitively. So an edit of a comment changes nothing, and an edit of an optimizer changes exactly the results
that used it. Two kinds of module are looked through, not hashed: package `__init__` files, which only re-export, and
`phase2.registry`, whose relevant lines are hashed with the components that are named.
"""

import ast
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from phase2 import registry
from phase2.errors import UserError
from phase2.files import sha256_text, write_json

SOURCE = Path(__file__).resolve().parents[2]
TRANSPARENT = {"phase2.registry"}
PARSED = Path(".phase2/code.json")  # what every job needs of most files, by the SHA-256 of its text and this file's


@cache
def fingerprint(*entries: str, components: tuple[tuple[str, str], ...] = ()) -> str:
    """12 hex digits for the code behind `entries` (module names) and `components` ((kind, name) of the registry)."""
    targets = [registry.COMPONENTS[kind][name] for kind, name in components]
    known = len(_known())
    modules = closure([*entries, *(target.split(":")[0] for target in targets)])
    digests = [f"{name} {_parsed(name)['digest']}" for name in sorted(modules)]
    if len(_known()) > known:
        with suppress(OSError):  # without the file the next process is slower, and no more
            write_json(SOURCE / PARSED, _known())
    return sha256_text("\n".join([*sorted(targets), *digests]))[:12]


def closure(entries: list[str]) -> set[str]:
    """The phase2 modules that `entries` import, directly or not, including themselves."""
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_imports(name))
    return {name for name in found if name not in TRANSPARENT and _file(name).name != "__init__.py"}


def clear_cache() -> None:
    """Forgets what was read, for a process that lives while code is edited."""
    for cached in (fingerprint, _imports, _parsed, _known):
        cached.cache_clear()


def _file(name: str) -> Path:
    path = SOURCE.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _imports(name: str) -> frozenset[str]:
    """The phase2 modules named by the import statements of a module, wherever in it they stand."""
    if name in TRANSPARENT or _file(name).name == "__init__.py":
        return frozenset()
    return frozenset(_origin(module, of) if of else module for module, of, _ in _parsed(name)["imports"])


def _origin(module: str, name: str) -> str:
    """The module behind `from module import name`: a submodule, the file a package re-exports it from, or itself."""
    if _file(module).name != "__init__.py":
        return module
    if _file(f"{module}.{name}").is_file():
        return f"{module}.{name}"
    for inner, of, alias in _parsed(module)["imports"]:
        if name == (alias or of):
            return _origin(inner, of)
    return module


@cache
def _parsed(name: str) -> dict[str, Any]:
    """A module's `digest` and `imports`, from the file of those if it has them for this very text."""
    path = _file(name)
    if not path.is_file():
        raise UserError(f"no module {name}: expected {path.relative_to(SOURCE)}")
    try:
        text = path.read_text(encoding="utf-8")
        known, key = _known(), sha256_text(_own_text() + text)
        if key not in known:
            known[key] = {"digest": digest_of(text), "imports": _imports_of(text)}
    except (SyntaxError, UnicodeDecodeError) as error:
        raise UserError(f"{path.relative_to(SOURCE)} cannot be read as Python: {error}") from error
    return known[key]


@cache
def _own_text() -> str:
    """This file's: what it reads from a text changes with it."""
    return Path(__file__).read_text(encoding="utf-8")


@cache
def _known() -> dict[str, dict[str, Any]]:
    try:
        return dict(json.loads((SOURCE / PARSED).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def _imports_of(text: str) -> list[list[str | None]]:
    """What a text imports from phase2: modules, the name taken from each (None: itself), and the name given to it."""
    found: list[list[str | None]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [[alias.name, None, None] for alias in node.names if alias.name.split(".")[0] == "phase2"]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "phase2":
            found += [[node.module, alias.name, alias.asname] for alias in node.names]
    return found


def digest_of(text: str) -> str:
    """The digest of a source text's syntax tree, without docstrings and comments."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return sha256_text(repr(_plain(tree)))


def _plain(node: object) -> object:
    """A syntax tree as nested tuples, empty fields left out: `ast.dump` differs between releases of Python."""
    if isinstance(node, ast.AST):
        values = ((name, _plain(value)) for name, value in ast.iter_fields(node))
        return (type(node).__name__, *((name, value) for name, value in values if value not in (None, ())))
    return tuple(map(_plain, node)) if isinstance(node, list) else node

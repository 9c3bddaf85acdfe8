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

from phase2 import registry
from phase2.errors import UserError
from phase2.files import sha256_text, write_json

SOURCE = Path(__file__).resolve().parents[2]
TRANSPARENT = {"phase2.registry"}
DIGESTS = Path(".phase2/digests.json")  # by the SHA-256 of a file's text: every job needs those of most files


def fingerprint(*entries: str, components: tuple[tuple[str, str], ...] = ()) -> str:
    """12 hex digits for the code behind `entries` (module names) and `components` ((kind, name) of the registry)."""
    targets = [registry.COMPONENTS[kind][name] for kind, name in components]
    modules = closure([*entries, *(target.split(":")[0] for target in targets)])
    known = len(_known())
    digests = [f"{name} {_digest(name)}" for name in sorted(modules)]
    if len(_known()) > known:
        with suppress(OSError):  # without the file the next process is slower, and no more
            write_json(SOURCE / DIGESTS, _known())
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
    _tree.cache_clear()
    _imports.cache_clear()
    _digest.cache_clear()
    _known.cache_clear()


def _file(name: str) -> Path:
    path = SOURCE.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _tree(name: str) -> ast.Module:
    path = _file(name)
    if not path.is_file():
        raise UserError(f"no module {name}: expected {path.relative_to(SOURCE)}")
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _imports(name: str) -> frozenset[str]:
    """The phase2 modules named by the import statements of a module, wherever in it they stand."""
    if name in TRANSPARENT or _file(name).name == "__init__.py":
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "phase2"}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "phase2":
            found |= {_origin(node.module, alias.name) for alias in node.names}
    return frozenset(found)


def _origin(module: str, name: str) -> str:
    """The module behind `from module import name`: a submodule, the file a package re-exports it from, or itself."""
    if _file(module).name != "__init__.py":
        return module
    if _file(f"{module}.{name}").is_file():
        return f"{module}.{name}"
    for node in _tree(module).body:
        if isinstance(node, ast.ImportFrom) and node.module and name in {a.asname or a.name for a in node.names}:
            return _origin(node.module, name)
    return module


@cache
def _digest(name: str) -> str:
    """The digest of a module's syntax tree, from the file of digests if it has one for this very text."""
    text = _file(name).read_text(encoding="utf-8")
    known, key = _known(), sha256_text(text)
    if key not in known:
        known[key] = _digest_of(text)
    return known[key]


@cache
def _known() -> dict[str, str]:
    try:
        return json.loads((SOURCE / DIGESTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _digest_of(text: str) -> str:
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

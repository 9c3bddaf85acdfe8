"""The fingerprint of code: what a result depends on, and nothing else.

A fingerprint hashes the syntax trees, without docstrings, comments and cards, of the modules that an entry module
imports, transitively: those of phase2 and of the user's parts. So an edit of a comment changes nothing, and an edit of
an optimizer changes exactly the results that used it. Looked through, not hashed, are package `__init__` files, which
only re-export; the registry with what it stands on, which finds by name what is hashed by name; and the sections of the
configuration, whose values reach results by specs and by the parameters of rules. Whatever else lies in a folder of
parts, such as weights, may be read by any of them, and counts for all.
"""

from functools import cache
from pathlib import Path
from typing import Any

from phase2 import registry, source
from phase2.card import DECIDING
from phase2.checksums import Checksums
from phase2.errors import UserError
from phase2.files import canonical_json, files_below, sha256_text
from phase2.registry import Part

CODE = (".py", ".pyc")
SECTIONS = ("axes", "config", "own", "parts", "section", "training")
TRANSPARENT = {
    *("phase2.registry", "phase2.card", "phase2.source", "phase2.words.labels", "phase2.probe.options"),
    *(f"phase2.study.{name}" for name in SECTIONS),
}


@cache
def fingerprint(*entries: str, components: tuple[tuple[str, str], ...] = ()) -> str:
    """12 hex digits for the code behind `entries` (module names) and `components` ((kind, name) of the registry)."""
    known = source.known()
    parts = [registry.part(kind, name) for kind, name in components]
    modules = closure([*entries, *(part.module for part in parts)])
    digests = [f"{name} {_code(name)['digest']}" for name in sorted(modules)]
    for package in sorted({name.split(".")[0] for name in modules} - {"phase2"}):
        digests += _beside(registry.packages()[package] / package)
    source.remember(known)
    return sha256_text("\n".join([*sorted(map(_told, parts)), *digests]))[:12]


def _told(part: Part) -> str:
    """Which class or function a part is, and what of its card decides numbers."""
    deciding = {name: value for name, value in part.card.traits.items() if name in DECIDING}
    return f"{part.target} {canonical_json(deciding)}" if deciding else part.target


@cache
def _beside(folder: Path) -> tuple[str, ...]:
    """The files that parts in a folder of the user's may read, besides code: weights, tables."""
    checksums = Checksums()
    names = (file.relative_to(folder) for file in files_below(folder))
    read = [name for name in names if name.suffix not in CODE and not any(part[0] == "." for part in name.parts)]
    found = tuple(f"{folder.name}/{name} {checksums.of(folder / name)}" for name in read)
    checksums.remember()
    return found


def closure(entries: list[str]) -> set[str]:
    """The modules that `entries` import, directly or not, including themselves."""
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
    for cached in (fingerprint, _imports, _code, _beside):
        cached.cache_clear()
    registry.forget()


def _file(name: str) -> Path:
    package = name.split(".")[0]
    path = registry.packages()[package].joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _imports(name: str) -> frozenset[str]:
    """The modules named by the import statements of a module, wherever in it they stand."""
    if name in TRANSPARENT or _file(name).name == "__init__.py":
        return frozenset()
    return frozenset(origin(module, of) if of else module for module, of, _ in _code(name)["imports"])


def origin(module: str, name: str) -> str:
    """The module behind `from module import name`: a submodule, the file a package re-exports it from, or itself."""
    if _file(module).name != "__init__.py":
        return module
    if _file(f"{module}.{name}").is_file():
        return f"{module}.{name}"
    for inner, of, alias in _code(module)["imports"]:
        if name == (alias or of):
            return origin(inner, of)
    return module


@cache
def _code(name: str) -> dict[str, Any]:
    path = _file(name)
    if not path.is_file():
        raise UserError(f"no module {name}: expected {path}")
    return source.code_of(path, tuple(registry.packages()))

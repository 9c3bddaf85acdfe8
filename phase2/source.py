"""What is read of a Python file without importing it: a digest of its code, what it imports, and its card.

A digest is of the syntax tree without docstrings, comments and the card: a cell's fingerprint is made of digests
(`phase2.study.fingerprint`). What was read is kept by the SHA-256 of the text, since every job needs it of most files.
"""

import ast
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from phase2.card import MADE, AnyCard, Card, arguments_of, is_card, read_card
from phase2.errors import UserError
from phase2.files import sha256_text, write_json

ROOT = Path(__file__).resolve().parents[1]
REMEMBERED = Path(".phase2/code.json")
MANY = 5000  # texts, most of which were edited since: reading those that are there anew is quicker


def code_of(path: Path, packages: tuple[str, ...]) -> dict[str, Any]:
    """A file's `digest`, and its `imports` of these packages: (module, name taken from it, name given to that)."""
    own = not path.is_relative_to(ROOT / "phase2")
    return _remembered(
        f"{'own ' if own else ''}code {' '.join(packages)}",
        path,
        lambda tree: {"imports": _imports_of(tree, packages), "digest": digest_of_tree(tree, own)},
    )


def card_of(path: Path) -> tuple[AnyCard, dict[str, Any]] | None:
    """A file's card, if it has one, and the arguments of the part that it is the card of.

    Raises `UserError`, naming file and line, for one that is wrong.
    """

    def read(tree: ast.Module) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        card = read_card(tree, path)
        try:
            arguments = arguments_of(tree, card.target) if isinstance(card, Card) else {}
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        return (type(card).__name__, asdict(card), arguments) if card else None

    content = _remembered("card", path, read)
    if content is None:
        return None
    kind, told, arguments = content
    if "options" in told:
        told = told | {"options": {name: _made("Option", option) for name, option in told["options"].items()}}
    return _made(kind, told), arguments


def _made(kind: str, told: dict[str, Any]) -> Any:
    """A card or an option, from what was remembered of it."""
    return MADE[kind](**{name: tuple(value) if isinstance(value, list) else value for name, value in told.items()})


def digest_of(text: str) -> str:
    """The digest of a source text."""
    return digest_of_tree(ast.parse(text))


def digest_of_tree(tree: ast.Module, own: bool = False) -> str:
    """The digest of a syntax tree, without docstrings and card. The tree is changed.

    The options of the package's probes are left out too, since tests hold their defaults; those of the user's own are
    code.
    """
    told = [node for node in tree.body if is_card(node) and not (own and isinstance(node, ast.ClassDef))]
    if any(isinstance(node, ast.ClassDef) for node in told):  # imports are of its options
        tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    tree.body = [node for node in tree.body if node not in told]
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


def _imports_of(tree: ast.Module, packages: tuple[str, ...]) -> list[list[str | None]]:
    found: list[list[str | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [[alias.name, None, None] for alias in node.names if alias.name.split(".")[0] in packages]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in packages:
            found += [[node.module, alias.name, alias.asname] for alias in node.names]
    return found


def place_of(package: str) -> Path | None:
    """The folder that holds an importable package or module; None if there is none."""
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or [])
    return Path(folders[0]).parent if folders else Path(spec.origin or "").parent


def parsed(path: Path) -> ast.Module:
    """A file's syntax tree; raises `UserError` for one that is no Python."""
    with _as_python(path):
        return ast.parse(path.read_text(encoding="utf-8"))


def _remembered(what: str, path: Path, read: Callable[[ast.Module], Any]) -> Any:
    with _as_python(path):
        text = path.read_text(encoding="utf-8")
        key = f"{what} {sha256_text(_own_text() + text)}"
        known = _known()
        if key not in known:
            # A first reading gives what later ones will.
            known[key] = json.loads(json.dumps(read(ast.parse(text, str(path)))))
        return known[key]


@contextmanager
def _as_python(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except (SyntaxError, ValueError) as error:  # ValueError: it is no text, or has a null byte
        raise UserError(f"{path} cannot be read as Python: {error}") from error


@cache
def _own_text() -> str:
    """This file's and the card's: what is read from a text changes with them."""
    return "".join((ROOT / "phase2" / name).read_text(encoding="utf-8") for name in ("source.py", "card.py"))


@cache
def _known() -> dict[str, Any]:
    try:
        known = dict(json.loads((ROOT / REMEMBERED).read_text(encoding="utf-8")))
        return known if len(known) < MANY else {}
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def remember(before: int) -> None:
    """Keeps what was read for the next process, if more is known than the `before` things that were."""
    if len(_known()) > before:
        with suppress(OSError):  # without the file the next process is slower, and no more
            write_json(ROOT / REMEMBERED, _known())


def known() -> int:
    """How many things are known."""
    return len(_known())


def forget() -> None:
    """Forgets what this process read, while code is edited."""
    _known.cache_clear()

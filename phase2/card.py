"""Cards: what is known of a part, a figure or claims without importing them.

Each is one file: its code, and beside it `CARD = Card(...)`, `FigureCard(...)` or `ClaimsCard(...)`, in literals. The
file's name is its name in a configuration. Cards are read from the source text (`phase2.registry`,
`phase2.figures.catalog`), so the Snakefile imports no torch, and no card is in a fingerprint: a new label trains
nothing, a new caption draws nothing.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_origin

from phase2.errors import UserError, unknown

DECIDING = ("metrics", "better")  # traits that decide numbers: they are in fingerprints, all else of a card is not
PER_CLASS = "1/classes"  # what guessing scores by a metric if it is right once in so many classes
LAST = 1000  # where a part without an order stands: after those that have one, by name


@dataclass(frozen=True)
class Option:
    """What is told of an argument of a part: a sentence, and its choices if it has a few, with labels where their names
    do not say it. Its default is the code's own.
    """

    says: str
    choices: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """What is told of a part, and asked of it before it runs.

    `target` is the class or function in the file; `definition` is LaTeX, a formula or a phrase; `cites` are keys of the
    report's references, separated by commas; parts are shown by `order`. `traits` are what the kind asks for: of a task
    its `metrics`, the first of which chooses the best weights, of a metric which values are `better`,
    what guessing scores by it (`chance`: a number, or 1/classes) and the `unit` that it is shown in: % of a share.
    """

    kind: str
    target: str
    label: str
    definition: str = ""
    cites: str = ""
    order: int = LAST
    options: Mapping[str, Option] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FigureCard:
    """What is told of a figure: the tables that its function takes as keyword arguments, its caption, and the axes that
    a study must have for it.
    """

    tables: tuple[str, ...]
    caption: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClaimsCard:
    """What is told of a file of claims: the study that they are about."""

    of: str


AnyCard = Card | FigureCard | ClaimsCard
REQUIRED, ANY = "(required)", "**"  # the default of an argument that has none; an argument that stands for any others


def arguments_of(tree: ast.Module, target: str) -> dict[str, Any]:
    """The arguments of a file's function, or of its class' making, with their defaults; `ANY` if they are not here.

    Raises `UserError` if the file has nothing of that name.
    """
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == target:
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                    return {name: default for name, default in _arguments(each).items() if name != "self"}
        if isinstance(node, ast.FunctionDef) and node.name == target:
            return _arguments(node)
    known = {name for node in tree.body for name in _names(node)}
    if target not in known:
        raise unknown("class or function", target, known)
    return {ANY: REQUIRED}


def _names(node: ast.stmt) -> list[str]:
    """What a statement at a file's top gives names to."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [each.id for each in targets if isinstance(each, ast.Name)]
    return []


def _arguments(function: ast.FunctionDef) -> dict[str, Any]:
    arguments = function.args
    places = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(places) - len(arguments.defaults)) + arguments.defaults
    pairs = [*zip(places, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return {each.arg: _default(node) for each, node in pairs} | ({ANY: REQUIRED} if arguments.kwarg else {})


def _default(node: ast.expr | None) -> Any:
    if node is None:
        return REQUIRED
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ast.unparse(node)


def read_card(tree: ast.Module, path: Path) -> AnyCard | None:
    """The card in a parsed file; None if there is none. Raises `UserError`, naming file and line, for a wrong one."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and is_card(node):
            try:
                return _card(node.value)
            except UserError as error:
                raise UserError(f"{path}, line {node.lineno}: {error}") from None
    return None


def is_card(node: ast.AST) -> bool:
    """Whether a statement is `CARD = ...`, or the options of a probe: what is told, and in no digest of the code."""
    if isinstance(node, ast.ClassDef):
        return node.name == "Options" and [ast.unparse(base) for base in node.bases] == ["Probe"]
    return (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "CARD"
    )


def _card(node: ast.expr) -> AnyCard:
    card = _value(node)
    if not isinstance(card, AnyCard):
        raise UserError("CARD is not a Card: write CARD = Card(kind, target, label=...)")
    for each in fields(card):
        value = getattr(card, each.name)
        if each.type is str and not isinstance(value, str):
            raise UserError(f"the card's {each.name} is {value!r}, expected text")
        if each.type is int and not isinstance(value, int):
            raise UserError(f"the card's {each.name} is {value!r}, expected a whole number")
        if get_origin(each.type) is Mapping and not isinstance(value, Mapping):
            raise UserError(f"the card's {each.name} is {value!r}, expected names with what they stand for in braces")
        if each.type == Mapping[str, Option] and not all(isinstance(option, Option) for option in value.values()):
            raise UserError(f"the card's {each.name} is {value!r}, expected of each name an Option(description)")
        if each.type == tuple[str, ...] and not isinstance(value, tuple | list):
            raise UserError(f'the card\'s {each.name} is {value!r}, expected names in brackets, such as ("cells",)')
    return card


def _value(node: ast.expr) -> Any:
    """A literal, or a card or an `Option` made of literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MADE:
        kind = MADE[node.func.id]
        known = [each.name for each in fields(kind)]
        named = {keyword.arg or "**": _value(keyword.value) for keyword in node.keywords}
        for name in named:
            if name not in known:
                raise unknown(f"field of a {kind.__name__}", name, known)
        try:
            return kind(*map(_value, node.args), **named)
        except TypeError as error:
            raise UserError(str(error).replace(f"{kind.__name__}.__init__()", f"the {kind.__name__}")) from None
    if isinstance(node, ast.Dict) and None not in node.keys:
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise UserError(
            f"the card is not literal: {ast.unparse(node)!r} has to be computed; write text, numbers, lists and Options"
        ) from None


MADE: dict[str, Any] = {kind.__name__: kind for kind in (Card, FigureCard, ClaimsCard, Option)}

"""The parts that a configuration may name, found by their cards in the package's rooms and in folders of the user's.

A part is found by name and imported only by the job that needs it, so the code fingerprint of a cell
(`phase2.study.fingerprint`) covers the optimizer it used and not the ones it did not.
"""

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from phase2 import source
from phase2.card import PER_CLASS, Card
from phase2.errors import UserError, unknown
from phase2.files import files_below

ROOMS = {  # of each kind, the package whose files are its parts
    "activation": "phase2.nn.activation",
    "norm": "phase2.nn.normalization",
    "init": "phase2.nn.initial",
    "schedule": "phase2.schedules",
    "optimizer": "phase2.optim",
    "model": "phase2.models",
    "task": "phase2.task",
    "augmentation": "phase2.task.augmentation",
    "tta": "phase2.task.tta",
    "metric": "phase2.task.metrics",
    "average": "phase2.train.averages",
    "dataset": "phase2.data.sets",
    "logger": "phase2.train.logs",
}
PROBE_FILES = {"card.py": "class Options(Probe) and its tables", "measure.py": "def measure(options, ...)"}
JOIN = "+"  # between the names of parts of which one follows the other
INSTALLED = ("site-packages", "dist-packages")  # folders of modules with a version, which are not edited
# Columns of the results, which no metric may be called.
TAKEN = {"loss", "lr", "grad_norm", "weight_norm", "samples_per_second", "id", "epoch", "step", "split", "seed"}
_folders: tuple[Path, ...] = ()  # of the user's parts
_added: list[str] = []  # to sys.path, for them
_noting: list[set[tuple[str, str]]] = []  # to which each part that is loaded is added
_others: tuple["Part", ...] = ()  # that a configuration makes, such as a data set from a folder


@dataclass(frozen=True)
class Part:
    """A part by its name: its card, and the module that it is in."""

    name: str
    card: Card
    arguments: dict[str, Any]  # of its class or function, with their defaults
    module: str
    path: Path

    @property
    def target(self) -> str:
        """Where its class or function is: module:name."""
        return f"{self.module}:{self.card.target}"


def parts(kind: str) -> dict[str, Part]:
    """The parts of a kind by name, in the order in which they are shown."""
    return _all()[kind]


def names(kind: str) -> list[str]:
    """The known names of a kind of part."""
    return list(parts(kind))


def part(kind: str, name: str) -> Part:
    """A part; raises `UserError` with the nearest name if there is none."""
    if name not in parts(kind):
        raise unknown(kind, name, parts(kind))
    return parts(kind)[name]


def several(names: str) -> list[str]:
    """The names of parts of which one follows the other.

    >>> several("translate+cutout")
    ['translate', 'cutout']
    """
    return names.split(JOIN)


def load(kind: str, name: str) -> Any:
    """The part's class or function: its module is imported now.

    >>> load("schedule", "linear")(step=5, total=10, lr=0.1)
    0.05
    """
    found = part(kind, name)
    for loaded in _noting:
        loaded.add((kind, name))
    return getattr(import_module(found.module), found.card.target)


@contextmanager
def noted() -> Iterator[set[tuple[str, str]]]:
    """The parts, by kind and name, that are loaded inside the block."""
    loaded: set[tuple[str, str]] = set()
    _noting.append(loaded)
    try:
        yield loaded
    finally:
        _noting.remove(loaded)


def use(folders: Iterable[Path], others: Iterable[Part] = ()) -> None:
    """Makes the files of these folders parts too, importable by the folder's name and its own: my_parts.swish; and
    `others` that need no file.
    """
    global _folders, _others
    wanted = tuple(Path(folder).resolve() for folder in folders)
    if wanted != _folders:
        _let_go()
    _folders, _others = (), tuple(others)
    for folder in wanted:
        if not folder.name.isidentifier():
            raise UserError(f"parts: {folder.name} is no name that Python imports: rename the folder {folder}")
        elsewhere = source.place_of(folder.name)
        if elsewhere not in (None, folder.parent):
            raise UserError(f"parts: Python has another {folder.name} in {elsewhere}: rename the folder {folder}")
        if str(folder.parent) not in sys.path:
            sys.path.append(str(folder.parent))
            _added.append(str(folder.parent))
    _folders = wanted
    _all.cache_clear()


def _let_go() -> None:
    """Makes the folders of before importable no more: another one may have the same name."""
    while _added:
        sys.path.remove(_added.pop())
    own = {folder.name for folder in _folders}
    for name in [name for name in sys.modules if name.split(".")[0] in own]:
        del sys.modules[name]


def brought() -> tuple[tuple[str, Path], ...]:
    """What `use` was given: what was read of parts holds as long as this does."""
    return (*((folder.name, folder) for folder in _folders), *((other.name, other.path) for other in _others))


def packages() -> dict[str, Path]:
    """The packages whose code is fingerprinted, each with the folder that it is in."""
    return {"phase2": source.ROOT} | {folder.name: folder.parent for folder in _folders}


def module_of(path: Path) -> str:
    """The name by which a file or a folder of these packages is imported."""
    parent = next(parent for name, parent in packages().items() if path.is_relative_to(parent / name))
    return ".".join(path.relative_to(parent).with_suffix("").parts)


def own_folders() -> tuple[Path, ...]:
    """The folders of the user's parts."""
    return _folders


def own_probes() -> list[Path]:
    """The folders of the user's probes: each that lies in a folder of parts and has Python files, but for _names.

    Raises `UserError` for one that lacks what a probe consists of, or cannot be imported.
    """
    inner = [each for folder in _folders for each in sorted(folder.iterdir()) if not each.name.startswith(("_", "."))]
    probes = [folder for folder in inner if folder.is_dir() and any(folder.glob("*.py"))]
    for folder in probes:
        for file, holds in PROBE_FILES.items():
            if not (folder / file).is_file():
                raise UserError(f"{folder} has no {file}: write it, with {holds}, or begin the folder's name with _")
        if not folder.name.isidentifier():
            raise UserError(f"{folder}: Python imports nothing of this name: rename the folder, such as near_zero")
        if folder.with_suffix(".py").exists():
            raise UserError(f"{folder} and {folder}.py would be imported by one name: rename one")
    return probes


def forget() -> None:
    """Forgets what was read, for a process that lives while code is edited."""
    _all.cache_clear()
    source.forget()


@cache
def _all() -> dict[str, dict[str, Part]]:
    before = source.known()
    found: dict[str, dict[str, Part]] = {kind: {} for kind in ROOMS}
    for each in (*_of_the_package(), *_of_the_user(), *_others):
        if each.card.kind not in ROOMS:
            raise UserError(f"{each.path}: {unknown('kind of part', each.card.kind, ROOMS)}")
        _check_traits(each)
        same = found[each.card.kind].get(each.name)
        if same:
            raise UserError(f"{each.path} and {same.path} are both the {each.card.kind} {each.name}: rename one file")
        found[each.card.kind][each.name] = each
    _check_labels([each for known in found.values() for each in known.values()])
    for task in found["task"].values():
        for metric in task.card.traits["metrics"]:
            if metric not in found["metric"]:
                raise UserError(f"{task.path}: {unknown('metric', metric, found['metric'])}")
    source.remember(before)
    return {kind: {each.name: each for each in sorted(known.values(), key=_place)} for kind, known in found.items()}


def _check_labels(found: list[Part]) -> None:
    """Raises `UserError` for parts of several kinds with one name and several labels: a name stands for a label."""
    first: dict[str, Part] = {}
    for each in found:
        other = first.setdefault(each.name, each)
        if other.card.label != each.card.label:
            raise UserError(f"{other.path} and {each.path} have one name and two labels: rename one file")


def _check_traits(part: Part) -> None:
    """Raises `UserError` for a task or a metric whose card does not say what its kind is asked for."""
    metrics = part.card.traits.get("metrics")
    if part.card.kind == "task" and not (isinstance(metrics, (list, tuple)) and metrics):
        raise UserError(f'{part.path}: a task\'s card names its metrics: traits={{"metrics": ("accuracy",)}}')
    if part.card.kind == "metric":
        _check_metric(part)


def _check_metric(part: Part) -> None:
    traits, unit = part.card.traits, part.card.traits.get("unit", "")
    if traits.get("better") not in ("higher", "lower"):
        raise UserError(f'{part.path}: a metric\'s card says which is better: traits={{"better": "higher"}}, or lower')
    if type(traits.get("chance")) not in (int, float) and traits.get("chance") != PER_CLASS:
        raise UserError(
            f"{part.path}: a metric's card says what guessing scores, which a diverged run is given: "
            f'traits={{"chance": 0.5}}, or "{PER_CLASS}"'
        )
    if not isinstance(unit, str):
        raise UserError(f'{part.path}: the unit of a metric is a text: traits={{"unit": "nats"}}, or "%" of a share')
    if part.name in TAKEN:
        raise UserError(f"{part.path}: the results have {part.name} already: rename the file")


def _place(part: Part) -> tuple[int, str]:
    return part.card.order, part.name


def _of_the_package() -> Iterable[Part]:
    for package in ROOMS.values():
        for path in sorted((source.ROOT / package.replace(".", "/")).glob("*.py")):
            yield from filter(None, [_part(path)])


def _of_the_user() -> Iterable[Part]:
    for folder in _folders:
        files = [path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")]
        if not files and not any(probe.parent == folder for probe in own_probes()):
            raise UserError(f"parts: {folder} holds no part, which is a file such as swish.py with a CARD")
        for path in files:
            if source.card_of(path) is None:
                raise UserError(
                    f"{path} has no card: write CARD = Card(kind, target, label=...), or begin its name with _"
                )
            yield from filter(None, [_part(path)])
        for path in (path for path in files_below(folder) if path.suffix == ".py"):
            if path.name == "__init__.py":
                raise UserError(f"{path}: remove it, a folder of parts needs none, and no edit of it counts")
            if not any(name.startswith(".") for name in path.relative_to(folder).parts):
                _check_imports(path, folder)


def _check_imports(path: Path, package: Path) -> None:
    """Raises `UserError`, naming the line, if a file imports what is not there, or what fingerprints do not follow."""
    for node in ast.walk(source.parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise UserError(
                f"{path}, line {node.lineno}: write from {module_of(path.parent)}.{node.module or ''} import ..."
            )
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in [node.module or ""] if isinstance(node, ast.ImportFrom) else names:
            top = name.split(".")[0]
            if top in packages() or top in sys.stdlib_module_names:
                continue
            place = source.place_of(top)
            if not place or place.name not in INSTALLED:
                elsewhere = f"{name} lies in {place}, where no edit of it counts: move it into {package.name}"
                told = elsewhere if place else f"there is no module {name}: install it in .venv"
                raise UserError(f"{path}, line {getattr(node, 'lineno', 0)}: {told}, or mend the import")


def _part(path: Path) -> Part | None:
    """The part in a file; None if it has no card of one: a figure is found by `phase2.figures.catalog`."""
    card, arguments = source.card_of(path) or (None, {})
    return Part(path.stem, card, arguments, module_of(path), path) if isinstance(card, Card) else None

"""Every kind of probe: a folder with a `card.py`, of this package or among the user's parts. Imports no torch.

The card holds what is known of the probe without measuring: its `Options`, which are its section of a configuration,
the tables that it makes, and those of its constants that others print. Beside it stand `measure.py`, whose function
`measure` takes the options and what they read, and its figures.
"""

from collections.abc import Callable, Hashable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from pydantic import create_model

from phase2 import registry, source
from phase2.errors import UserError
from phase2.probe.options import Probe
from phase2.probe.own import check, imported
from phase2.study.fingerprint import closure, fingerprint

IMAGES = (("augmentation", "none"), ("tta", "none"), ("metric", "accuracy"))  # what a data set of images is opened with


def _of_the_package() -> list[Path]:
    return sorted(path.parent for path in (source.ROOT / "phase2" / "probe").glob("*/card.py"))


def _folders() -> dict[str, Path]:
    """The folder of every kind by name; raises `UserError` for two of one name."""
    found: dict[str, Path] = {}
    for folder in [*_of_the_package(), *registry.own_probes()]:
        if folder.name in found:
            raise UserError(f"{folder} and {found[folder.name]} are both the probe {folder.name}: rename one folder")
        found[folder.name] = folder
    return found


def _kind(folder: Path) -> type[Probe]:
    """The options of a kind, told by its name; what is said of them is the card's docstring."""
    card, name = imported(folder / "card.py"), folder.name
    options = getattr(card, "Options", None)
    if not (isinstance(options, type) and issubclass(options, Probe) and hasattr(options, "tables")):
        raise UserError(f"{card.__file__} is no card of a probe: write class Options(Probe) with its tables")
    kind: Any = (Literal[name], Probe.model_fields["probe"])
    return create_model(name.title().replace("_", ""), __base__=options, __doc__=card.__doc__, probe=kind)


PROBES = {folder.name: _kind(folder) for folder in _of_the_package()}  # the package's


def probes() -> dict[str, type[Probe]]:
    """The options of every kind of probe by name: of the package's, and of those in folders of the user's.

    Raises `UserError` for one that is wrong.
    """
    return _probes(registry.brought())


@cache
def _probes(brought: Hashable) -> dict[str, type[Probe]]:
    own = {name: _kind(folder) for name, folder in _folders().items() if name not in PROBES}
    for name, options in own.items():
        check(_folders()[name], options)
    return PROBES | own


def load(name: str) -> Callable[..., Any]:
    """The measuring function of a probe, imported now."""
    return import_module(f"{_package(name)}.measure").measure


def folder_of(name: str) -> Path:
    """The folder of a kind of probe."""
    return source.ROOT / "phase2" / "probe" / name if name in PROBES else _folders()[name]


def _package(name: str) -> str:
    # No search through all folders for the package's: every rule of a probe asks.
    return f"phase2.probe.{name}" if name in PROBES else registry.module_of(_folders()[name])


def probe_code(options: Probe) -> str:
    """The fingerprint of all code behind a probe's tables: its function, the components that its options name, and
    those that it uses whatever they are.
    """
    return fingerprint(*_modules(options), components=tuple(sorted(components_of(options))))


def components_of(options: Probe) -> set[tuple[str, str]]:
    """The parts that a probe says it uses, by kind and name: its options name them or its card, or it reads images."""
    kinds = registry.ROOMS.keys() - {"dataset"}  # data are known by their content
    named = {(kind, name) for kind in kinds for name in _named(options, kind)}
    return {(kind, name) for kind, name in named if name in registry.names(kind)} | {
        *options.uses,
        *(IMAGES if "data" in options.inputs else ()),
    }


def check_loaded(options: Probe, loaded: set[tuple[str, str]], elsewhere: set[tuple[str, str]]) -> None:
    """Raises `UserError` if a probe `loaded` a part whose code is neither in its fingerprint nor, as that of the cells
    whose networks it reads, known `elsewhere`: its tables would outlive an edit of the part.
    """
    said = components_of(options) | elsewhere
    behind = closure([*_modules(options), *(registry.part(*each).module for each in said)])
    if beyond := sorted(each for each in loaded - said if registry.part(*each).module not in behind):
        raise UserError(
            f"the probe {options.probe} loads the {' '.join(beyond[0])}, which neither its options nor its card name, "
            f"so that its tables would outlive an edit of it: add {beyond[0]} to uses in its card"
        )


def _modules(options: Probe) -> list[str]:
    return [f"{_package(options.probe)}.{file}" for file in ("card", "measure")]


def _named(options: Probe, kind: str) -> list[str]:
    one = getattr(options, kind, None)
    return [*getattr(options, f"{kind}s", []), *([one] if one else [])]

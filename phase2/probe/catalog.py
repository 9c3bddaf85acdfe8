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
from phase2.study.fingerprint import fingerprint


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
    kinds = registry.ROOMS.keys() - {"dataset"}  # data are known by their content
    named = {(kind, name) for kind in kinds for name in _named(options, kind)}
    known = {(kind, name) for kind, name in named if name in registry.names(kind)}
    modules = [f"{_package(options.probe)}.{file}" for file in ("card", "measure")]
    return fingerprint(*modules, components=tuple(sorted(known | set(options.uses))))


def _named(options: Probe, kind: str) -> list[str]:
    one = getattr(options, kind, None)
    return [*getattr(options, f"{kind}s", []), *([one] if one else [])]

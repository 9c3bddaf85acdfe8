"""Every kind of probe: a folder of this package with a `card.py`, found by it. Imports no torch.

The card holds what is known of the probe without measuring: its `Options`, which are its section of a configuration,
the tables that it makes, and those of its constants that others print. Beside it stand `measure.py`, whose function
`measure` takes the options and what they read, and its figures.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from pydantic import create_model

from phase2 import registry
from phase2.errors import UserError
from phase2.probe.options import Probe
from phase2.study.fingerprint import fingerprint


def _kind(name: str) -> type[Probe]:
    """The options of a kind, told by its name; what is said of them is the card's docstring."""
    card = import_module(f"phase2.probe.{name}.card")
    options = getattr(card, "Options", None)
    if not (isinstance(options, type) and issubclass(options, Probe) and hasattr(options, "tables")):
        raise UserError(f"{card.__file__} is no card of a probe: write class Options(Probe) with its tables")
    kind: Any = (Literal[name], Probe.model_fields["probe"])
    return create_model(name.title().replace("_", ""), __base__=options, __doc__=card.__doc__, probe=kind)


PROBES: dict[str, type[Probe]] = {
    name: _kind(name) for name in sorted(path.parent.name for path in Path(__file__).parent.glob("*/card.py"))
}


def load(name: str) -> Callable[..., Any]:
    """The measuring function of a probe, imported now."""
    return import_module(f"phase2.probe.{name}.measure").measure


def probe_code(options: Probe) -> str:
    """The fingerprint of all code behind a probe's tables: its function, the components that its options name, and
    those that it uses whatever they are.
    """
    named = {(kind, name) for kind in ("activation", "init", "optimizer") for name in _named(options, kind)}
    known = {(kind, name) for kind, name in named if name in registry.names(kind)}
    return fingerprint(f"phase2.probe.{options.probe}.measure", components=tuple(sorted(known | set(options.uses))))


def _named(options: Probe, kind: str) -> list[str]:
    one = getattr(options, kind, None)
    return [*getattr(options, f"{kind}s", []), *([one] if one else [])]

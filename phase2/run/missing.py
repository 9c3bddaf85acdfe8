"""A run that goes on without what failed: which studies and probes those are, and the configuration without them."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from phase2.run.config import Config

ANNOUNCED = "PHASE2_MISSING"  # the variable by which a run tells the one that it starts what is missing

CONFIGURING = ("--configfile", "--configfiles", "--config", "-C")


def lacking(config: Config, unfinished: Iterable[str | None]) -> list[str]:
    """The studies and probes among the `unfinished` names, and the probes that read one of these studies."""
    names = set(unfinished) - {None}
    probes = [name for name, p in config.probes.items() if name in names or getattr(p, "study", None) in names]
    return [name for name in config.studies if name in names] + probes


def without(content: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """A configuration as it was read, with studies and probes of these names left out and named as missing."""
    reduced = deepcopy(content) | {"missing": names}
    for section in ("studies", "probes"):
        reduced[section] = {name: None if name in names else part for name, part in reduced.get(section, {}).items()}
    return reduced


def without_configuration(options: list[str]) -> list[str]:
    """A command's options without those that name configuration files or values, each with all that it takes."""
    kept, taking = [], False
    for option in options:
        taking = option.split("=")[0] in CONFIGURING or (taking and not option.startswith("-"))
        if not taking:
            kept.append(option)
    return kept

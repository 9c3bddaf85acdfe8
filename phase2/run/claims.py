"""The claims of a run: where they stand, and the tables that they are judged on. Imports no pandas.

A file of claims has `CARD = ClaimsCard(of=<study>)` and lies in `phase2/claims/studies/` or in a folder of the user's
parts; claims about a kind of probe stand in `claims.py` in the probe's folder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phase2 import registry, source
from phase2.card import ClaimsCard
from phase2.errors import UserError, unknown
from phase2.probe.catalog import folder_of
from phase2.run.config import Config

FILE = "claims.py"  # in a probe's folder


@dataclass(frozen=True)
class Subject:
    """What claims of a file are about in a run: a study or a probe by name, or a study that the run lacks."""

    name: str
    kind: str
    path: Path


def subjects(config: Config) -> list[Subject]:
    """What there are claims about: studies and probes in the order of the configuration, then studies that it lacks.

    Raises `UserError` for claims of the user's own about a study that there is not.
    """
    places = {name: place for place, name in enumerate([*config.studies, *config.probes])}
    return sorted(_found(config), key=lambda subject: places.get(subject.name, len(places)))


def _found(config: Config) -> Iterator[Subject]:
    folders = [source.ROOT / "phase2" / "claims" / "studies", *registry.own_folders()]
    for path in (path for folder in folders for path in sorted(folder.glob("*.py"))):
        card, _ = source.card_of(path) or (None, {})
        if isinstance(card, ClaimsCard):
            if path.parent != folders[0] and card.of not in (*config.studies, *config.missing, *config.untrained):
                raise UserError(f"{path}: {unknown('study', card.of, config.studies)}")
            yield Subject(card.of, "study", path)
    for name, probe in config.probes.items():
        path = folder_of(probe.probe) / FILE
        if path.exists():
            yield Subject(name, "probe", path)


def modules(config: Config) -> list[str]:
    """The modules of all claims about a run: the code behind its verdicts."""
    return sorted({registry.module_of(subject.path) for subject in subjects(config)})


def tables_of(config: Config, subject: Subject) -> list[str]:
    """The tables of a subject that its claims may ask for; none of what the run lacks."""
    if subject.kind == "probe":
        return list(config.probes[subject.name].tables)
    study = config.studies.get(subject.name)
    return [] if study is None else ["cells", "curves", "score", "baseline"]

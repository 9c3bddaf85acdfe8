"""What commands have in common: the options that several take, and the configuration that these name."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.errors import UserError, unknown

if TYPE_CHECKING:  # each command imports what it needs when it runs
    from phase2.run.config import Config

STORE, WORK = Path(".phase2/store"), Path(".phase2/packs")


def _there(store: Path) -> Path:
    """A cell store that is named on the command line: an empty one is made by a run, never by a mistyped name."""
    store = store.expanduser()
    if store != STORE and not store.is_dir():
        raise UserError(f"there is no cell store {store}: `--store` names a folder such as {STORE}")
    return store


NewStore = Annotated[Path, typer.Option("--store", help="The cell store.", callback=Path.expanduser)]
OldStore = Annotated[Path, typer.Option("--store", help="The cell store.", callback=_there)]
Configs = Annotated[
    list[Path],
    typer.Option("--configfile", help="Overlay laid over config.yaml; may be given several times."),
]
Sets = Annotated[
    list[str],
    typer.Option("--set", help="key=value over all files, e.g. studies.mlp_grid.budget.epochs=3; may be repeated."),
]
Where = Annotated[
    list[str] | None,
    typer.Argument(help="axis=value, to take only those cells; of one axis several values may be given"),
]


def configuration(overlays: list[Path], sets: Iterable[str] = ()) -> "Config":
    """The configuration of config.yaml with overlays and assignments over it."""
    from phase2.run.config import load

    return load([Path("config.yaml"), *overlays], sets)


def check_known(studies: list[str], config: "Config") -> None:
    """Raises `UserError` for a study that the configuration has not."""
    for study in studies:
        if study not in config.studies:
            raise unknown("study", study, config.studies)

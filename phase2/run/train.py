"""One study's cells trained from the command line, by the same way as the graph trains them."""

from collections.abc import Callable
from pathlib import Path

from phase2.errors import UserError
from phase2.run.config import Config
from phase2.run.cost import say_on_cpu
from phase2.run.fill import prepare, select
from phase2.run.shipped import beside
from phase2.run.upkeep import forget
from phase2.study.cell import Cell, cells_of, packs_of
from phase2.study.code import metrics_of
from phase2.study.pack import Folders, run_pack, standing
from phase2.study.results import read_metrics
from phase2.study.store import Store
from phase2.train.display import Display


def train(
    config: Config,
    name: str,
    where: dict[str, list[str]],
    store: Path,
    work: Path,
    say: Callable[[str], None],
    *,
    again: bool = False,
    resume: bool = False,
) -> None:
    """Trains the cells of the study `name` that are as `where` says, and tells how they ended on validation examples;
    what the store has is restored. A training that was stopped goes on from its checkpoint.

    What a run of shipped cells trains goes to its folder retrained/, and is told beside the shipped cell. With `again`
    they are trained also if the store has them. With `resume` nothing is begun: raises `UserError` for a
    pack that neither the store has nor an attempt that was stopped.
    """
    study = config.studies[name]
    results = Path("results") / config.run / ("retrained" if config.shipped is not None else "")
    packs = packs_of(select(cells_of(name, study), where))  # before data is prepared: it may refuse a level
    prepared = prepare(study.task.dataset, config.data)
    folders = Folders(prepared, results, Path("checkpoints") / config.run, store, work, Path("logs") / config.run)
    for pack in packs.values():
        if again:
            forget(Store(store), pack, prepared)
        if resume:
            _check_begun(pack, standing(pack, study, folders))
    say_on_cpu(config, {name: [cell for pack in packs.values() for cell in pack]}, store, work)
    for folder, pack in packs.items():
        with Display(str(folder)) as display:
            run_pack(pack, study, folders, config.compute, watch=display)
        for cell in pack:
            say(f"{cell.id} {cell.partition}: {_ended(cell, results)}{beside(config, cell)}")


def _check_begun(pack: list[Cell], standing: tuple[list[Cell], bool]) -> None:
    lacking, begun = standing
    if lacking and not begun:
        raise UserError(
            f"nothing of {pack[0].study} {pack[0].pack} is begun with these settings: --resume only goes on with what "
            "was stopped; give the settings that it had, or leave --resume out to train from the start"
        )


def _ended(cell: Cell, results: Path) -> str:
    metrics = read_metrics(cell, results)
    name = metrics_of(cell.settings)[0]
    return f"validation {name} {metrics['final'][f'val_{name}']:.4f}" if metrics["final"] else "diverged"

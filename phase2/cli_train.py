"""The commands that train, say what training costs, and compare what was trained."""

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli_options import STORE, WORK, Configs, NewStore, OldStore, Sets, Where, check_known, configuration
from phase2.errors import UserError


def train(
    study: str,
    where: Where = None,
    configfile: Configs = [],  # noqa: B006 (typer copies it)
    sets: Sets = [],  # noqa: B006
    device: Annotated[str, typer.Option(help="auto, cpu or cuda: compute.device.")] = "",
    precision: Annotated[str, typer.Option(help="fp32, bf16 or fp16: the study's precision.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Begin nothing: only go on with what was stopped.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Train them also if the store has them, anew.")] = False,
) -> None:
    """Train cells of a study now, without Snakemake, and print how they ended.

    What was stopped goes on by itself where it was; --resume makes it an error if there is nothing to go on with.
    RUN/STUDY is the study of that run, config/RUN.yaml. What a run of shipped cells trains goes to its folder
    retrained/, and is printed beside the shipped cell.
    """
    from phase2.run.fill import where_of
    from phase2.run.train import train as train_cells

    run, _, study = study.rpartition("/")
    named = {"compute.device": device, f"studies.{study}.precision": precision}
    given = [f"{key}={value}" for key, value in named.items() if value]
    config = configuration([*([Path("config") / f"{run}.yaml"] if run else []), *configfile], [*sets, *given])
    check_known([study], config)
    if resume and again:
        raise UserError("--again trains anew and --resume goes on: give one of them")
    if precision and config.studies[study].axes.precision:
        raise UserError(f"precision is an axis of {study}: write precision={precision}, without dashes")
    train_cells(config, study, where_of(where), STORE, WORK, typer.echo, again=again, resume=resume)


def fill(
    where: Where = None,
    configfile: Configs = [],  # noqa: B006
    sets: Sets = [],  # noqa: B006
    study: Annotated[list[str] | None, typer.Option(help="Only this study; may be given several times.")] = None,
    minutes: Annotated[
        float, typer.Option(min=0, help="Stop after this time, also in a training: the next call goes on there.")
    ] = float("inf"),
    store: NewStore = STORE,
) -> None:
    """Train what the cell store lacks, where there is no Snakemake; the graph restores from the store later.

    Studies without an axis or a value that is asked for are passed over.
    """
    from phase2.run.cost import say_on_cpu
    from phase2.run.fill import fill as fill_store
    from phase2.run.fill import to_train, where_of

    config = configuration(configfile, sets)
    check_known(study or [], config)
    studies = study or list(config.studies)
    say_on_cpu(config, to_train(config, studies, where_of(where), lambda line: None), store, WORK)
    done = fill_store(config, studies, where_of(where), store, WORK, minutes, typer.echo)
    typer.echo(
        "the store has every cell asked for" if done else f"stopped after {minutes:g} minutes: run again to go on"
    )


def cost(
    where: Where = None,
    configfile: Configs = [],  # noqa: B006
    sets: Sets = [],  # noqa: B006
    study: Annotated[list[str] | None, typer.Option(help="Only this study; may be given several times.")] = None,
    store: NewStore = STORE,
) -> None:
    """Say what training the cells that the store lacks would cost on this machine: nothing is trained."""
    from phase2.run.cost import costs, told
    from phase2.run.fill import to_train, where_of

    config = configuration(configfile, sets)
    check_known(study or [], config)
    chosen = to_train(config, study or list(config.studies), where_of(where), typer.echo)
    typer.echo(told(costs(config, chosen, store, WORK)))


def compare(
    a: Annotated[str, typer.Argument(help="a run, or a commit by its first digits")],
    b: Annotated[str, typer.Argument(help="another")],
    run: Annotated[str, typer.Option(help="the run by whose cells two commits are compared")] = "desk",
    store: OldStore = STORE,
) -> None:
    """Print which cells changed from a run or commit to another, and by how much, with intervals over seeds."""
    from phase2.run.compare import report, side

    typer.echo(report(*(side(name, Path("results"), store, run) for name in (a, b))))

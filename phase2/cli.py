"""The command line. Each command imports what it needs when it runs, so `phase2 --help` is quick."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from phase2.errors import UserError, unknown

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A deep-learning core from scratch, and the factory that proves it. `snakemake report` runs all of it.",
)
store_app = typer.Typer(no_args_is_help=True, help="The cell store: finished cells, found by what they were made from.")
app.add_typer(store_app, name="store")

STORE, WORK = Path(".phase2/store"), Path(".phase2/packs")
Configs = Annotated[
    list[Path],
    typer.Option("--configfile", help="Overlay laid over config.yaml; may be given several times."),
]
Where = Annotated[list[str] | None, typer.Argument(help="axis=value, to take only those cells")]


def _config(overlays: list[Path]):
    from phase2.study.config import load

    return load([Path("config.yaml"), *overlays])


def _known(studies: list[str], config) -> None:
    for study in studies:
        if study not in config.studies:
            raise unknown("study", study, config.studies)


def _where(pairs: list[str] | None) -> dict[str, str]:
    wrong = [pair for pair in pairs or [] if "=" not in pair]
    if wrong:
        raise UserError(f"{wrong[0]!r} is not axis=value: write for example activation=relu")
    return dict(pair.split("=", 1) for pair in pairs or [])


@app.command()
def train(study: str, where: Where = None, configfile: Configs = []) -> None:  # noqa: B006 (typer copies it)
    """Train cells of a study now, without Snakemake, and print how they ended."""
    from phase2.study.cell import cells_of, packs_of
    from phase2.study.fill import prepare, select
    from phase2.study.pack import Folders, run_pack
    from phase2.study.results import read_metrics

    config = _config(configfile)
    _known([study], config)
    chosen = config.studies[study]
    results, checkpoints = Path("results") / config.run, Path("checkpoints") / config.run
    folders = Folders(prepare(chosen.task.dataset, config.data), results, checkpoints, STORE, WORK)
    for pack in packs_of(select(cells_of(study, chosen), _where(where))).values():
        run_pack(pack, chosen, folders, config.compute)
        for cell in pack:
            metrics = read_metrics(cell, results)
            accuracy = f"test accuracy {metrics['final']['test_accuracy']:.4f}" if metrics["final"] else "diverged"
            typer.echo(f"{cell.id} {cell.partition}: {accuracy}")


@app.command()
def fill(
    where: Where = None,
    configfile: Configs = [],  # noqa: B006
    study: Annotated[list[str] | None, typer.Option(help="Only this study; may be given several times.")] = None,
    minutes: Annotated[float, typer.Option(help="Start no pack after this time.")] = float("inf"),
    store: Annotated[Path, typer.Option(help="The cell store to fill.")] = STORE,
) -> None:
    """Train what the cell store lacks, where there is no Snakemake; the graph restores from the store later."""
    from phase2.study.fill import fill as fill_store

    config = _config(configfile)
    _known(study or [], config)
    done = fill_store(config, study or list(config.studies), _where(where), store, WORK, minutes, typer.echo)
    typer.echo("the store has every cell" if done else f"stopped after {minutes:g} minutes: run again to go on")


@app.command()
def trace(
    document: Annotated[str, typer.Argument(help="report")],
    name: Annotated[str, typer.Argument(help="a figure, table or macro of it, e.g. accuracy_heatmap")] = "",
    run: Annotated[str, typer.Option(help="the run whose report it is")] = "desk",
) -> None:
    """Print the cells, seeds, commit and data behind a figure, table or number of the report."""
    from phase2.report.trace import describe, load_trace

    if document != "report":
        raise UserError(f"unknown document {document!r}: expected report, as in `phase2 trace report {name or 'NAME'}`")
    if name:
        typer.echo(describe(Path("results") / run, name))
        return
    for key, statement in load_trace(Path("results") / run).items():
        typer.echo(f"{statement['kind']:6} {key} = {statement['value']}")


@app.command()
def doctor() -> None:
    """Check Python, torch, LaTeX, data sources, GPU, Slurm and DVC, and say how to mend what is missing."""
    from phase2.doctor import doctor as examine

    mirror = _config([]).data.mirror if Path("config.yaml").exists() else None
    raise typer.Exit(examine(Path.cwd(), mirror))


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="measurements; all if none is named")] = None,
) -> None:
    """Measure this machine (about 20 minutes for all): results/bench/*.json and a table."""
    from phase2.bench import bench as run_benchmarks

    raise typer.Exit(run_benchmarks(names or [], Path("results/bench")))


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="the reference page config/README.md instead")] = False,
) -> None:
    """Print the JSON Schema of the configuration (kept in config/schema.json for editors)."""
    from phase2.study.config import schema as json_schema
    from phase2.study.reference import reference

    typer.echo(reference() if markdown else json.dumps(json_schema(), indent=1), nl=not markdown)


@store_app.command("export")
def store_export(archive: Path, store: Path = STORE) -> None:
    """Write every finished cell into one .tar."""
    from phase2.study.store import Store

    written, damaged = Store(store).export(archive)
    left_out = f"; left out as damaged: {' '.join(key[:12] for key in damaged)}" if damaged else ""
    typer.echo(f"{written} cells in {archive}{left_out}")


@store_app.command("import")
def store_import(archive: Path, store: Path = STORE) -> None:
    """Take in the cells of an exported .tar that are whole, where the store has none, a damaged one or fewer files."""
    from phase2.study.store import Store

    taken, refused = Store(store).import_(archive)
    typer.echo(f"{taken} cells taken in, {refused} refused as damaged or as another cell's")


def main() -> None:
    """Runs a command; what the user can mend is one message and exit code 1, never a traceback."""
    try:
        app()
    except (UserError, OSError) as error:
        print(f"phase2: {error}", file=sys.stderr)
        raise SystemExit(1) from None

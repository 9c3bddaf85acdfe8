"""The command line. Each command imports what it needs when it runs, so `phase2 --help` is quick."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from phase2.cli_options import STORE, WORK, Configs, NewStore, OldStore, Sets, configuration
from phase2.cli_train import compare, cost, fill, train
from phase2.errors import UserError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A deep-learning core from scratch, and the factory that proves it. `make report` runs all of it.",
)
store_app = typer.Typer(no_args_is_help=True, help="The cell store: finished cells, found by what they were made from.")
app.add_typer(store_app, name="store")
for command in (train, fill, cost, compare):
    app.command()(command)


@app.callback()
def _here() -> None:
    from phase2.study.place import check_code

    check_code(Path.cwd())


@app.command()
def ship(
    configfile: Configs = [],  # noqa: B006
    sets: Sets = [],  # noqa: B006
    store: OldStore = STORE,
) -> None:
    """Write the finished cells of a run, without weights, into the folder that it ships them in.

    Of each cell the one trained last, of the store and of what was shipped before, by whatever code.
    """
    from phase2.run.shipped import ship as write
    from phase2.study.store import Store

    write(configuration(configfile, sets), Store(store), typer.echo)


@app.command(context_settings={"ignore_unknown_options": True})  # such as -1.2
def trace(
    what: Annotated[
        str,
        typer.Argument(help='a number as printed, "Table 2", "Figure 3", or the name of a claim, table or figure'),
    ] = "",
    run: Annotated[str, typer.Option(help="the run whose PDFs it is printed in")] = "desk",
    everything: Annotated[bool, typer.Option("--all", help="Shorten no list.")] = False,
) -> None:
    """Print the cells, seeds, commit and data behind a number, table, figure or claim; without one, list them all."""
    from phase2.report.trace import describe, load_trace

    if what:
        typer.echo(describe(Path("results") / run, what, everything))
        return
    for key, statement in load_trace(Path("results") / run).items():
        typer.echo(f"{statement['kind']:6} {key} = {statement['value']}")


@app.command()
def claims(
    name: Annotated[str, typer.Argument(help="only claims with these words in their name or subject")] = "",
    run: Annotated[str, typer.Option(help="the run that judges them")] = "desk",
) -> None:
    """Print every claim with its verdict in a run, and the numbers, seeds and scale behind it."""
    from phase2.run.verdicts import listing

    typer.echo(listing(Path("results") / run, name))


@app.command()
def verify(
    configfile: Configs = [],  # noqa: B006
    sets: Sets = [],  # noqa: B006
    mend: Annotated[bool, typer.Option("--mend", help="Make again what disagrees.")] = False,
    store: OldStore = STORE,
) -> None:
    """Compare results, checkpoints, data and cell store, byte by byte, with today's configuration and code."""
    from phase2.study.read import read
    from phase2.study.store import Store
    from phase2.verify import verify as agrees

    configuration(configfile, sets)  # says what is wrong with it
    if not agrees(read([Path("config.yaml"), *configfile], sets), Store(store), mend, typer.echo):
        typer.echo(
            "to make these again, and what depends on them: the same command with --mend, or the run's snakemake"
        )
        raise typer.Exit(1)
    typer.echo("everything agrees: what lies here is what configuration, code and data make")


@app.command()
def doctor() -> None:
    """Check Python, torch, LaTeX, data sources, GPU, Slurm and DVC, and say how to mend what is missing."""
    from phase2.doctor import doctor as examine

    mirror = configuration([]).data.mirror if Path("config.yaml").exists() else None
    raise typer.Exit(examine(Path.cwd(), mirror))


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="files of benchmarks/; all if none is named")] = None,
    tiny: Annotated[bool, typer.Option("--tiny", help="The smallest sizes, once: shows that they run.")] = False,
    page: Annotated[bool, typer.Option("--publish", help="Measure nothing: write docs/benchmarks.md.")] = False,
) -> None:
    """Measure this machine (about 30 minutes for all): results/bench/*.json and a table.

    Exit code 1 if a bound is missed or a measurement fails; the others run. --tiny writes and judges nothing.
    --publish takes results/bench/*.json into docs/benchmarks/ and writes docs/benchmarks.md from what is there.
    """
    from phase2.bench import bench as run_benchmarks
    from phase2.bench_page import publish

    measured = Path("results/bench")
    if page:
        if names or tiny:
            raise UserError("--publish measures nothing and takes all that was measured: give it alone")
        publish(measured, Path("docs/benchmarks"), Path("docs/benchmarks.md"))
        return
    raise typer.Exit(run_benchmarks(names or [], measured, tiny))


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="the reference page config/README.md instead")] = False,
) -> None:
    """Print the JSON Schema of the configuration (kept in config/schema.json for editors)."""
    from phase2.run.config import schema as json_schema
    from phase2.run.reference import reference

    typer.echo(reference() if markdown else json.dumps(json_schema(), indent=1), nl=not markdown)


@store_app.command("export")
def store_export(
    archive: Path,
    without_weights: Annotated[bool, typer.Option("--without-weights", help="Metrics and curves alone.")] = False,
    store: OldStore = STORE,
) -> None:
    """Write every finished cell into one .tar, or .tar.xz."""
    from phase2.study.results import HISTORY, METRICS
    from phase2.study.store import Store

    written, damaged = Store(store).export(archive, names=(METRICS, HISTORY) if without_weights else None)
    left_out = f"; left out as damaged: {' '.join(key[:12] for key in damaged)}" if damaged else ""
    typer.echo(f"{written} cells in {archive}{left_out}")


@store_app.command("import")
def store_import(archive: Path, store: NewStore = STORE) -> None:
    """Take in the cells of an exported .tar that are whole, where the store has none, a damaged one or fewer files."""
    from phase2.study.store import Store

    taken, refused = Store(store).import_(archive)
    typer.echo(f"{taken} cells taken in, {refused} refused as damaged or as another cell's")


@store_app.command("list")
def store_list(store: OldStore = STORE) -> None:
    """Print what the store has: a line an entry with the cell's id, what it is, how it ended and what made it."""
    from phase2.run.upkeep import entries, table
    from phase2.study.store import Store

    typer.echo(table(entries(Store(store))))


@store_app.command("drop")
def store_drop(
    cells: Annotated[list[str], typer.Argument(help="ids as `phase2 store list` prints them, or their beginnings")],
    store: OldStore = STORE,
) -> None:
    """Remove cells from the store. What is in results/ stays; `phase2 train STUDY axis=value --again` replaces both."""
    from phase2.run.upkeep import entries, find, table
    from phase2.study.store import Store

    dropped = find(entries(Store(store)), cells)
    for entry in dropped:
        Store(store).drop(entry.key)
    typer.echo(f"{table(dropped)}\nThese are dropped.")


@store_app.command("gc")
def store_gc(
    configfile: Annotated[
        list[Path],
        typer.Option(help="Keep also what config.yaml wants with this overlay; may be given several times."),
    ] = [],  # noqa: B006
    sets: Sets = [],  # noqa: B006
    yes: Annotated[bool, typer.Option("--yes", help="Remove it, and not only print it.")] = False,
    store: OldStore = STORE,
) -> None:
    """Print, and with --yes remove, what no configuration wants any more, and what killed runs left behind.

    An entry is wanted if a cell of config.yaml, or of config.yaml with an overlay, has it with today's code and data.
    """
    from phase2.run.upkeep import Wanted, dead_packs, debris, entries, megabytes, remove, table
    from phase2.study.store import Store

    overlays = [[], *([path] for path in configfile), configfile]  # each by itself, and all laid over each other
    wanted = Wanted(configuration(overlay, sets) for overlay in overlays)
    listed = entries(Store(store))
    unwanted = [entry for entry in listed if not wanted.has(entry)]
    left, packs = debris(Store(store)), dead_packs(WORK, wanted) if store == STORE else []
    typer.echo("\n".join([table(unwanted), *map(str, [*left, *packs])]))
    size = megabytes([*(Store(store).folder(entry.key) for entry in unwanted), *left, *packs])
    found = f"{len(unwanted)} of {len(listed)} entries and {len(left) + len(packs)} leftovers of killed runs, {size} MB"
    if yes:
        remove(Store(store), unwanted, left, packs)
    nothing = "nothing is removed yet: the same command with --yes does it. To keep an overlay's, name it: --configfile"
    typer.echo(f"{found}: {'removed' if yes else nothing}")


def main() -> None:
    """Runs a command; what the user can mend is one message and exit code 1, never a traceback."""
    try:
        app()
    except (UserError, OSError) as error:
        print(f"phase2: {error}", file=sys.stderr)
        raise SystemExit(1) from None

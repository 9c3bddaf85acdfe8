"""The door of a run's folder: README.md, summary.csv, columns.csv, and index.html with all figures, read offline."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from phase2.figures.catalog import drawing
from phase2.files import atomic_path, write_text
from phase2.report.run import duration
from phase2.run.config import Config
from phase2.stats.columns import columns
from phase2.stats.overview import OVERVIEW, overview
from phase2.study.score import PERCENT, Score
from phase2.study.section import Chapter
from phase2.study.tables import read_table
from phase2.words.sizes import sizes

PLACES = {  # what lies in the folder of a run; those of one file each are links of the page
    "summary.csv": "a row a study: its question, what was chosen on validation, its test score, by how much that beats "
    "the baseline",
    "columns.csv": "what every column of every table means",
    "index.html": "all of this as a page, with every figure",
    "claims.json": "every claim: its sentence, its numbers, and whether this run supports it",
    "tables/<study>/": "tidy tables of a study: its cells, their curves, and the statistics drawn from them",
    "tables/<probe>/": "tidy tables of a probe, and provenance.json: what they were measured with",
    "figures/": "every figure as PDF and PNG",
    "cells/<study>/<axis>=<level>/.../": "each training: metrics.json (spec, status, metrics, provenance) and "
    "history.csv (a row an epoch)",
    "mastery.csv": "what one should understand, build and measure, each with the test or the figure that shows it",
    "config.yaml": "the configuration with all defaults",
    "environment.json": "versions and machine",
    "metrics.json": "the few numbers that DVC compares",
    "receipts/": "what each file was made from: parameters, code, checksums",
    "report/": "the LaTeX sources of the PDFs, and the trace of each number",
}
DICTIONARY = ("of", "table", "column", "meaning")
OF_A_DOCUMENT = {
    "report": "what the run found",
    "optimization": "the same of its studies of optimization",
    "companion": "the whole record: every study, probe and derivation",
}
STYLE = """
body { font: 16px/1.5 Georgia, serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1, h2, h3 { line-height: 1.2; } h2 { border-bottom: 1px solid #bbb; margin-top: 3rem; }
code, td, th { font-size: 0.85rem; } code { font-family: monospace; }
table { border-collapse: collapse; } td, th { padding: 0.25rem 0.6rem; text-align: left; vertical-align: top; }
th, td { border-bottom: 1px solid #ddd; } td.number { text-align: right; }
.chapter { columns: 28rem; column-gap: 3rem; } .subject { break-inside: avoid; margin-bottom: 2.5rem; }
.subject h3 { margin: 0; } figure { margin: 1rem 0; break-inside: avoid; } img { width: 100%; }
figcaption { font-size: 0.85rem; color: #444; }
"""


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its configuration, what it was made with, and the command that makes it."""

    folder: Path
    config: Config
    environment: dict[str, Any]
    command: str
    notebooks: list[str]

    def tables(self, name: str, *tables: str) -> dict[str, pd.DataFrame]:
        """Those tables of a study or a probe that it has."""
        paths = {table: self.folder / "tables" / name / f"{table}.csv" for table in tables}
        return {table: read_table(path) for table, path in paths.items() if path.exists()}

    @property
    def made(self) -> str:
        """A sentence on what made it."""
        environment, commit = self.environment, self.environment["commit"]
        changed = " with uncommitted changes" if environment["dirty"] else ""
        machine = f"{environment['cores']} cores of {environment['cpu']}, torch {environment['packages']['torch']}"
        return f"Made by {self.command} of commit {commit or 'unknown'}{changed}, on {machine}."


def write_index(run: Run) -> None:
    """Writes the four files."""
    summary = pd.DataFrame(
        [
            overview(name, study.question, run.tables(name, "score", "chosen", "cells", "baseline"))
            for name, study in run.config.studies.items()
        ],
        columns=list(OVERVIEW),
    )
    for name, table in {"summary": summary, "columns": dictionary(run)}.items():
        with atomic_path(run.folder / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g")
    write_text(run.folder / "README.md", readme(run))
    write_text(run.folder / "index.html", page(run, summary))


def dictionary(run: Run) -> pd.DataFrame:
    """What every column of every table means: of (run, studies, or a kind of probe), table, column, meaning.

    What a card does not tell, of a probe of the user's own, is empty.
    """
    rows = {("run", "summary", column): meaning for column, meaning in OVERVIEW.items()}
    axes: dict[str, str] = {}
    for name, study in run.config.studies.items():
        told = columns(study, run.config.shipped is not None)
        axes |= {axis: told["cells"][axis] for axis in study.axes.values()}
        for table, frame in run.tables(name, *told).items():
            rows |= {("studies", table, column): told[table][column] for column in map(str, frame)}
    for name, probe in run.config.probes.items():
        for table, frame in run.tables(name, *probe.tables).items():
            meanings = {each: probe.told(table, each) or axes.get(each, "") for each in map(str, frame)}
            rows |= {(probe.probe, table, column): meaning for column, meaning in meanings.items()}
    return pd.DataFrame([(*key, meaning) for key, meaning in rows.items()], columns=list(DICTIONARY))


def documents(run: Run) -> dict[str, str]:
    """What the run has to read, by its place in the folder."""
    pdfs = {f"{name}.pdf": OF_A_DOCUMENT.get(name, "a paper of the run") for name in run.config.documents}
    return pdfs | {f"notebooks/{name}.html": f"the notebook {name}, run on these results" for name in run.notebooks}


def readme(run: Run) -> str:
    """README.md: what lies here, how to read it, and what made it."""
    places = "\n".join(f"| `{place}` | {what} |" for place, what in (documents(run) | PLACES).items())
    gaps = "".join(f"**{gap}**\n\n" for gap in run.config.gaps)
    return f"""# The run `{run.config.run}`

{gaps}{run.made}

Open `index.html`, or begin with `summary.csv`. All tables are CSV, a row an observation; an empty field is a value that
there is not, such as an interval over fewer than five seeds. Scores in `tables/` and `cells/` are shares of 1, those of
`summary.csv` in the unit that it tells.

| place | what |
|---|---|
{places}

`phase2 trace` leads from a number to the runs behind it; `phase2 verify` says whether all this is what configuration,
code and data make.
"""


def page(run: Run, summary: pd.DataFrame) -> str:
    """index.html: what there is to read, how the studies came out, every figure with its caption. It has no script and
    asks nothing of a network.
    """
    name = escape(run.config.run)
    files = [place for place in PLACES if "/" not in place and place != "index.html"]
    read = "".join(_item(place, what) for place, what in documents(run).items())
    more = ", ".join(_link(place) for place in ["README.md", *files])
    gaps = "".join(f"<p><strong>{escape(gap)}</strong></p>" for gap in run.config.gaps)
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>phase2: {name}</title>
<style>{STYLE}</style></head>
<body>
<h1>The run {name}</h1>
{gaps}
<p>{escape(run.made)}</p>
<ul>{read}</ul>
<p>Beside it: {more}.</p>
<h2>Studies</h2>
{_outcomes(summary)}
{"".join(_chapter(run, chapter) for chapter in get_args(Chapter))}
</body>
</html>
"""


def _outcomes(summary: pd.DataFrame) -> str:
    head = ("study", "chosen on validation", "test", "baseline", "better by", "seeds", "steps", "training")
    lines = []
    for row in summary.to_dict("records"):
        baseline = f"{_number(row['baseline'], row['unit'])} ({row['against']})"
        scores = [_number(row["test"], row["unit"]), baseline, _effect(row)]
        numbers = [*scores, f"{row['n']:.0f}", f"{row['steps']:.0f}", duration(row["seconds"])]
        cells = "".join(f'<td class="number">{escape(number)}</td>' for number in numbers)
        question = f"{escape(row['question'])}<br><code>{escape(row['answer'])}</code>"
        lines.append(f'<tr><td><a href="#{row["study"]}">{row["study"]}</a></td><td>{question}</td>{cells}</tr>')
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{''.join(lines)}</table>"


def _effect(row: dict[Any, Any]) -> str:
    effect, *ends = (_number(row[name], row["unit"]).removesuffix("%") for name in ("effect", "low", "high"))
    return f"{effect} [{', '.join(ends)}]".replace(" ", "\N{NO-BREAK SPACE}") if all(ends) else effect


def _number(value: float, unit: str) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.1f}%" if unit == PERCENT else f"{value:.3g} {unit}".strip()


def _chapter(run: Run, chapter: str) -> str:
    subjects = run.config.studies | run.config.probes
    told = [_subject(run, name) for name, subject in subjects.items() if subject.chapter == chapter]
    return f'<h2>{chapter.capitalize()}</h2><div class="chapter">{"".join(told)}</div>' if told else ""


def _subject(run: Run, name: str) -> str:
    studies = run.config.studies
    subject = studies[name] if name in studies else run.config.probes[name]
    captions = {figure: drawing(figure).caption for figure in subject.figures}
    if name in studies:
        tables = run.tables(name, "score", "cells")
        score, ends = Score.read(tables["score"]), sizes(tables["cells"], studies[name].task.train)
        captions = {figure: f"{score.told(caption)} {ends}" for figure, caption in captions.items()}
    figures = []
    for figure, caption in captions.items():
        place = f"figures/{name}/{figure}"
        image = f'<a href="{place}.pdf"><img src="{place}.png" alt="{figure}" loading="lazy"></a>'
        figures.append(f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>")
    head = f'<h3 id="{name}">{name}</h3><p>{escape(subject.question)} {_link(f"tables/{name}/")}</p>'
    return f'<div class="subject">{head}{"".join(figures)}</div>'


def _item(place: str, what: str) -> str:
    return f"<li>{_link(place)}: {escape(what)}</li>"


def _link(place: str) -> str:
    return f'<a href="{place}">{place}</a>'

"""The tables of docs/benchmarks.md, written from what `phase2 bench` measured: no figure there is typed by hand.

The measurements that they show are kept in docs/benchmarks/, each with the machine it was made on.
"""

import json
from pathlib import Path
from typing import Any

from phase2.bench import Measured
from phase2.errors import UserError
from phase2.files import write_bytes, write_text

BEGIN, END = "<!-- written by `phase2 bench --publish` -->", "<!-- end of what `phase2 bench --publish` writes -->"
HEAD = "| measurement | figure | median [smallest, largest] | bound |\n|---|---|---|---|"


def publish(measured: Path, kept: Path, page: Path) -> None:
    """Takes what was measured into `kept`, in the place of older files, and writes the page's tables from all there."""
    for path in sorted(measured.glob("*.json")):
        write_bytes(kept / path.name, path.read_bytes())
    if not any(kept.glob("*.json")):
        raise UserError(f"no measurement in {measured} or {kept}: run `phase2 bench` first")
    write_text(page, with_figures(page.read_text(encoding="utf-8"), kept))


def with_figures(text: str, kept: Path) -> str:
    """The page's text with the tables of the kept measurements between its two marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise UserError(f"docs/benchmarks.md needs the lines {BEGIN} and {END} once, in this order, around its tables")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return before + "\n\n".join([BEGIN, *_tables(kept), END]) + after


def _tables(kept: Path) -> list[str]:
    """One table a machine, each with a line on the machine above it."""
    rows: dict[str, list[str]] = {}
    for path in sorted(kept.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        figures = [_figure(row) for row in content["figures"]]
        rows.setdefault(_machine(content["environment"]), []).extend(_rows(path.stem, figures))
    return [text for machine, lines in rows.items() for text in (f"On {machine}:", "\n".join([HEAD, *lines]))]


def _figure(row: dict[str, Any]) -> Measured:
    return Measured(**{key: value for key, value in row.items() if key not in ("median", "met")})


def _machine(environment: dict[str, Any]) -> str:
    software = f"{environment['platform']}, Python {environment['python']}, torch {environment['packages']['torch']}"
    return f"{environment['cores']} cores of {environment['cpu']} ({software})"


def _rows(name: str, figures: list[Measured]) -> list[str]:
    """A row a figure, but one for each group: its figure that is nearest to its bound."""
    groups: dict[str, list[Measured]] = {}
    for figure in figures:
        groups.setdefault(figure.group or figure.name, []).append(figure)
    rows = []
    for told, members in groups.items():
        worst = max(members, key=lambda f: f.bound / f.median if f.at_least else f.median / f.bound)
        what = f"{told}: the worst of {len(members)} ({worst.name})" if worst.group else told
        rows.append(f"| `{name}` | {what} | {_measured(worst)} | {_bound(worst)} |")
    return rows


def _measured(figure: Measured) -> str:
    median = _quantity(figure.median, figure.unit)
    if len(figure.values) == 1:
        return f"{median} (one run)"
    return f"{median} [{_number(min(figure.values))}, {_number(max(figure.values))}]"


def _bound(figure: Measured) -> str:
    return f"at {'least' if figure.at_least else 'most'} {_quantity(figure.bound, figure.unit)}" + (
        "" if figure.met else ": **missed**"
    )


def _quantity(value: float, unit: str) -> str:
    return _number(value) + (unit if unit in ("x", "%") else f" {unit}")


def _number(value: float) -> str:
    """Three digits that count, never in powers of ten."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"

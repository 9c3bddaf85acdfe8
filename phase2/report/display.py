"""What the notebooks show: tables, figures and claims of a run, or a sentence where it lacks them; and derivations."""

import base64
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from IPython.display import HTML
from matplotlib.figure import Figure

from phase2.derive import html
from phase2.derive.catalog import load as load_derivation
from phase2.errors import UserError
from phase2.figures.catalog import STUDY, drawing
from phase2.figures.catalog import load as load_figure
from phase2.figures.style import styled
from phase2.run.verdicts import read_claims
from phase2.source import ROOT
from phase2.study.factors import factors_of
from phase2.study.score import Score
from phase2.study.tables import read_table

RESULTS = "PHASE2_RESULTS"  # the environment variable that names the folder of a run
DEFAULT = ROOT / "results" / "desk"


@dataclass(frozen=True)
class Subject:
    """A study or a probe of a run: its name, its section of the configuration, the folder of its tables."""

    name: str
    config: dict[str, Any]
    folder: Path

    @property
    def factors(self) -> list[str]:
        """The axes of a study without the seed."""
        return factors_of(axis for axis, levels in self.config["axes"].items() if levels)

    def table(self, name: str) -> pd.DataFrame:
        """Raises `UserError` for a table that the run has not made."""
        return read_table(self.folder / f"{name}.csv")

    @property
    def score(self) -> Score:
        """By what the cells of a study are compared."""
        return Score.read(self.table("score"))

    def figure(self, name: str) -> HTML:
        """A figure of `phase2.figures`, drawn now, with its caption."""
        card = drawing(name)
        drawn = load_figure(name)(**{table: self.table(table) for table in card.tables})
        caption = self.score.told(card.caption) if card.of == STUDY else card.caption
        return HTML(f"<figure>{_image(drawn)}<figcaption>{escape(caption)}</figcaption></figure>")


@dataclass(frozen=True)
class Subjects:
    """Some studies or probes of a run, and what to call them if there is none."""

    kind: str
    members: tuple[Subject, ...]

    def show(self, shown: Callable[[Subject], HTML | pd.DataFrame | Figure]) -> HTML:
        """What `shown` makes of each member, under its name and question; a sentence if there is none."""
        if not self.members:
            return HTML(f"<p class='absent'>This run has no {escape(self.kind)}.</p>")
        parts = []
        for subject in self.members:
            question = escape(subject.config["question"].strip())
            parts.append(f"<p class='subject'><code>{subject.name}</code> {question}</p>{_html(shown(subject))}")
        return HTML("\n".join(parts))

    def figure(self, name: str) -> HTML:
        """A figure of each member for which the configuration asks for it."""
        asked = tuple(member for member in self.members if name in member.config["figures"])
        return Subjects(f"{self.kind} with the figure {name}", asked).show(lambda subject: subject.figure(name))


def probes(kind: str) -> Subjects:
    """The probes of a kind (`four_ways`, `gradient_flow`, ...) that the run has."""
    named = _config(_folder()).get("probes", {})
    return Subjects(f"probe {kind}", tuple(_subject(n, part) for n, part in named.items() if part["probe"] == kind))


def studies(name: str) -> Subjects:
    """The study of this name, if the run has it."""
    return Subjects(f"study {name}", tuple(study for study in _studies() if study.name == name))


def study_of(axis: str) -> Subjects:
    """The study that compares the levels of an axis with the fewest other axes besides."""
    found = sorted((study for study in _studies() if axis in study.factors), key=lambda study: len(study.factors))
    return Subjects(f"study with an axis {axis}", tuple(found[:1]))


def claims(*about: Subjects) -> HTML:
    """What the run says of every claim about these: the verdict, the sentence, the evidence; a sentence for none."""
    names = [member.name for subjects in about for member in subjects.members]
    told = [claim for claim in read_claims(_folder()) if claim["subject"] in names]
    if not told:
        kinds = escape(" or a ".join(subjects.kind for subjects in about))
        return HTML(f"<p class='absent'>This run judges no claim about a {kinds}.</p>")
    listed = ", ".join(f"<code>{name}</code>" for name in dict.fromkeys(claim["subject"] for claim in told))
    lead = f"<p class='subject'>What this run says of the claims about {listed}:</p>"
    return HTML("\n".join([lead, "<ul class='claims'>", *map(_claim, told), "</ul>"]))


def derivation(name: str) -> HTML:
    """A derivation, every step of which is checked now; raises `WrongStep` for one that does not hold."""
    made = load_derivation(name)()
    return HTML(html.to_html(made, made.check()))


def table(frame: pd.DataFrame) -> HTML:
    """A table without its index, numbers to four digits."""
    return HTML(frame.to_html(index=False, border=0, float_format="{:.4g}".format, na_rep="–"))


def formula(latex: str) -> HTML:
    """A displayed formula."""
    return HTML(html.mathml(latex, display="block"))


def picture(figure: Figure) -> HTML:
    """A figure that a cell has drawn itself, in the pipeline's style if its function is `styled`."""
    return HTML(_image(figure))


def _folder() -> Path:
    return Path(os.environ.get(RESULTS) or DEFAULT)


@cache
def _config(folder: Path) -> dict[str, Any]:
    """The configuration that the run recorded."""
    try:
        return yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{folder} holds no run ({error}): make one (`snakemake report`), or set {RESULTS} to the folder of another"
        ) from None


def _studies() -> list[Subject]:
    return [_subject(name, part) for name, part in _config(_folder())["studies"].items()]


def _subject(name: str, config: dict[str, Any]) -> Subject:
    return Subject(name, config, _folder() / "tables" / name)


def _html(shown: HTML | pd.DataFrame | Figure) -> str:
    if isinstance(shown, Figure):
        return _image(shown)
    return str((table(shown) if isinstance(shown, pd.DataFrame) else shown).data)


def _claim(claim: dict[str, Any]) -> str:
    """An item of a list: verdict and sentence, then numbers, reason and what stands behind them."""
    numbers = [f"{name.replace('_', ' ')} {number['text']}" for name, number in claim["numbers"].items()]
    counted = [(claim[name], name) for name in ("seeds", "images", "steps") if claim[name]]
    scale = ", ".join(f"{count:,} {name.removesuffix('s') if count == 1 else name}" for count, name in counted)
    evidence = "; ".join(filter(None, [*numbers, claim["why"], scale]))
    return (
        f"<li><strong class='{claim['verdict'].replace(' ', '-')}'>{claim['verdict'].capitalize()}</strong> "
        f"{escape(claim['sentence'])} <small>{escape(evidence)} (<code>{escape(claim['name'])}</code>)</small></li>"
    )


@styled
def _image(figure: Figure) -> str:
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return f'<img src="data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}" alt="">'

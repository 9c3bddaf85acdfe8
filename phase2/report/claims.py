"""The claims of a run as they were judged, and how the text prints them: the verdict's mark, numbers, a line each."""

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from phase2.errors import UserError
from phase2.report.latex import count, escape, lines
from phase2.study.section import Chapter

MARKS = {"supported": r"\supported{}", "denied": r"\denied{}", "cannot say": r"\cannotsay{}"}  # by verdict

# \claim{<claim>} puts the verdict's mark into the margin, \val{<claim>}{<number>} prints a number that it lends.
MACROS = r"""\newcommand{\claim}[1]{%
  \ifcsname claim:#1\endcsname
    \marginpar{\csname claim:#1\endcsname}%
  \else
    \PackageError{phase2}{This run has no claim `#1'}{phase2 claims lists them.}%
  \fi}
\newcommand{\val}[2]{%
  \ifcsname val:#1:#2\endcsname
    \csname val:#1:#2\endcsname
  \else
    \PackageError{phase2}{The claim `#1' lends no number `#2'}{phase2 claims lists them.}%
  \fi}"""


class Number(BaseModel):
    """A number that a claim lends to the text, with its interval over n seeds."""

    value: float | None
    low: float | None
    high: float | None
    n: int | None
    unit: str
    text: str


class Claim(BaseModel):
    """A claim and what the run says of it: `why` a verdict could not be given, its `numbers` by name."""

    name: str
    subject: str
    kind: Literal["study", "probe"]
    chapter: Chapter | None  # none of a claim about a study that the run lacks
    sentence: str
    verdict: Literal["supported", "denied", "cannot say"]
    why: str
    numbers: dict[str, Number]
    seeds: int | None
    images: int | None
    steps: int | None
    most_steps: int | None
    registered: bool
    room: float | None
    source: str

    @property
    def mark(self) -> str:
        return MARKS[self.verdict]

    @property
    def told(self) -> str:
        """Its name and its sentence as LaTeX."""
        return rf"\emph{{{escape(self.name[:1].upper() + self.name[1:])}.}} {escape(self.sentence)}"

    @property
    def evidence(self) -> str:
        """Its numbers by name, or why it cannot be judged, as LaTeX."""
        told = [f"{escape(name.replace('_', ' '))} {number_text(number)}" for name, number in self.numbers.items()]
        return "; ".join([*told, *([escape(self.why)] if self.why else [])])

    @property
    def scale(self) -> str:
        """How many seeds, images and steps stand behind it, and whether it was written before them."""
        sizes = (("seeds", self.seeds), ("images", self.images), ("steps", self.steps))
        told = [f"{count(size)} {name.removesuffix('s') if size == 1 else name}" for name, size in sizes if size]
        if self.steps and self.most_steps and self.most_steps > self.steps:
            told[-1] = f"{count(self.steps)} to {count(self.most_steps)} steps"
        return ", ".join([*told, "registered" if self.registered else "exploratory"])


def read_claims(path: Path) -> list[Claim]:
    """The claims that were judged of a run; raises `UserError` if there is no such file, or another content."""
    try:
        return TypeAdapter(list[Claim]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UserError(f"cannot read {path} ({error}): delete it and run `snakemake report`") from None


def number_text(number: Number) -> str:
    """A number as LaTeX, its minus one."""
    return escape(re.sub(r"(?<![\w.])-(?=[\d.])", "−", number.text))


def claim_macros(claims: list[Claim]) -> str:
    """The LaTeX definitions by which a text written by hand names claims and their numbers."""
    marks = [rf"\expandafter\newcommand\csname claim:{claim.name}\endcsname{{{claim.mark}}}" for claim in claims]
    numbers = [
        rf"\expandafter\newcommand\csname val:{claim.name}:{name}\endcsname{{{number_text(number)}}}"
        for claim in claims
        for name, number in claim.numbers.items()
    ]
    return lines(MACROS, *marks, *numbers)


def claim_lines(claims: list[Claim]) -> str:
    """A line for each claim: verdict, sentence, numbers, what stands behind it; nothing for none."""
    items = [
        rf"\item[{claim.mark}] {claim.told} {escape(claim.verdict.capitalize())}"
        rf"{': ' + claim.evidence if claim.evidence else ''} ({claim.scale})."
        for claim in claims
    ]
    return lines(r"\begin{claims}", *items, r"\end{claims}") if items else ""

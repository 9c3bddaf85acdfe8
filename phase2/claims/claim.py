"""What a claim is, and how a run's results judge it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from phase2.claims.evidence import Evidence, Verdict
from phase2.claims.results import Results
from phase2.stats.interval import ENOUGH

DRAWS = 200  # resamplings of the seeds
ROOM = 0.95  # of them, the least share that must say the same

Told = Literal["supported", "denied", "cannot say"]
TOLD: dict[bool | None, Told] = {True: "supported", False: "denied", None: "cannot say"}

OPEN = "the intervals leave it open"


@dataclass(frozen=True)
class Judged:
    """A verdict: what stood in the way of one, the evidence if it was looked at, and the share of resamplings of the
    seeds that agree.
    """

    verdict: Told
    why: str = ""
    evidence: Evidence | None = None
    room: float | None = None


@dataclass(frozen=True)
class Claim:
    """A sentence, and the criterion that decides it; what it needs before it is looked at."""

    criterion: Callable[[Results], Evidence]
    seeds: int
    images: int
    steps: int
    beats_linear: bool
    exploratory: bool

    @property
    def name(self) -> str:
        return self.criterion.__name__.replace("_", " ")

    @property
    def sentence(self) -> str:
        return " ".join((self.criterion.__doc__ or "").split())

    def judge(self, results: Results) -> Judged:
        """Whether the results support the claim, deny it, or cannot say: because a need is not met, because the
        criterion's intervals leave it open or it says why, or because too many resamplings of the seeds would say
        otherwise.
        """
        if lack := self._lack(results):
            return Judged("cannot say", lack)
        evidence = self.criterion(results)
        if evidence.holds is None:
            few = len(results.seeds) < ENOUGH
            why = f"no interval from fewer than {ENOUGH} seeds" if few else evidence.why or OPEN
            return Judged("cannot say", why, evidence)
        room = self._room(results, evidence.holds) if len(results.seeds) > 1 else None  # else nothing varies
        if room is not None and room < ROOM:
            why = (
                f"{TOLD[evidence.holds]}, but in only {room:.0%} of resamplings of the seeds, and {ROOM:.0%} are needed"
            )
            return Judged("cannot say", why, evidence, room)
        return Judged(TOLD[evidence.holds], "", evidence, room)

    def _room(self, results: Results, holds: Verdict) -> float:
        """The share of resamplings of the seeds that say the same. Of few seeds many are equal: each is judged once."""
        rng = np.random.default_rng(0)
        drawn = [results.draw(rng) for _ in range(DRAWS)]
        different = {tuple(each.items()): each for each in drawn}
        verdicts = {key: self.criterion(results.resampled(each)).holds for key, each in different.items()}
        return sum(verdicts[tuple(each.items())] is holds for each in drawn) / DRAWS

    def _lack(self, results: Results) -> str:
        """Which need is not met; "" if all are."""
        have = {"seeds": len(results.seeds), "images": results.images, "steps": results.steps}
        for what, needed in (("seeds", self.seeds), ("images", self.images), ("steps", self.steps)):
            if have[what] < needed:
                return f"needs {needed:,} {what}, has {have[what]:,}"
        if self.beats_linear and results.beat_linear() is not True:
            return "the setting that is best on validation does not surely beat logistic regression there"
        return ""


def claim(
    *, seeds: int = 5, images: int = 0, steps: int = 0, beats_linear: bool = True, exploratory: bool = False
) -> Callable[[Callable[[Results], Evidence]], Claim]:
    """Makes a claim of a function that takes the results of the study or probe that it is about.

    Its name is the claim's, its docstring the sentence, what it returns the evidence. A run without these seeds,
    training images and steps cannot say, nor one in which no setting of the study beats the linear baseline. What was
    written after a look at such results is `exploratory`, whatever git says of later runs of the same seeds.
    """

    def made(criterion: Callable[[Results], Evidence]) -> Claim:
        return Claim(criterion, seeds, images, steps, beats_linear, exploratory)

    return made

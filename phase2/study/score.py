"""The score of a study: the metric by which its cells are compared, and how it is told. Imports no torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from phase2 import registry
from phase2.card import PER_CLASS

if TYPE_CHECKING:  # the Snakefile imports no pandas
    import pandas as pd

AREA = "curve_area"  # the mean of the metric over the epochs, on the validation part
PERCENT = "%"  # the unit of a share, which is shown times 100


def head(text: str, unit: str) -> str:
    """Of an axis or a column: a name with its unit, if it has one."""
    return f"{text} ({unit})" if unit else text


def card_of_score(task: str) -> dict[str, Any]:
    """What the cards of a task and of its first metric tell of them: what statistics and figures depend on."""
    traits = registry.part("task", task).card.traits
    metric = traits["metrics"][0]
    card = registry.part("metric", metric).card
    told = {name: card.traits.get(name, "") for name in ("unit", "better", "chance")}
    return {"metric": metric, "label": card.label, **told, "loss_unit": traits.get("unit", "")}


@dataclass(frozen=True)
class Score:
    """The first metric of a study's task: its label, its unit, which values are `better` (higher or lower), and what
    guessing scores by it, `chance`; beside it the unit of the task's loss.
    """

    metric: str
    label: str
    unit: str
    better: str
    chance: float
    loss_unit: str

    @classmethod
    def of(cls, told: Mapping[str, Any], classes: int) -> "Score":
        """The score of what `card_of_score` told, on data of so many classes."""
        chance = 1 / classes if told["chance"] == PER_CLASS else float(told["chance"])
        return cls(**{**told, "chance": chance})

    @classmethod
    def read(cls, table: "pd.DataFrame") -> "Score":
        """The score of a study's table `score`, which has one row."""
        row: Any = table.astype(object).fillna("").iloc[0]
        return cls(**row)

    @property
    def column(self) -> str:
        """Of the table of cells: the metric on the validation part at the end of training, by which all is compared."""
        return f"val_{self.metric}"

    @property
    def test_column(self) -> str:
        """Of the table of cells: the metric on the test part at the end of training, read of what was chosen alone."""
        return f"test_{self.metric}"

    @property
    def measures(self) -> tuple[str, str]:
        """By what cells are compared, the score first."""
        return self.column, AREA

    @property
    def sign(self) -> int:
        """What makes the better of two values the larger."""
        return 1 if self.better == "higher" else -1

    @property
    def worth_of_chance(self) -> float:
        """What guessing scores, the larger the better."""
        return self.sign * self.chance

    @property
    def limit(self) -> float:
        """The best that there is, the larger the better: all of a share, none of what is to be low."""
        return 0.0 if self.sign < 0 else 1.0 if self.is_share else math.inf

    @property
    def is_share(self) -> bool:
        return self.unit == PERCENT

    @property
    def has_errors(self) -> bool:
        """Whether it is a share of what is right, which lacks an error to the whole."""
        return self.is_share and self.better == "higher"

    @property
    def error_name(self) -> str:
        return "error" if self.has_errors else self.label

    def errors(self, values: "pd.Series") -> "pd.Series":
        """What values lack to the whole, as it is shown; of a score that has no errors, itself."""
        return self.scale * (1 - values if self.has_errors else values)

    @property
    def scale(self) -> int:
        """What a value is multiplied by to be shown."""
        return 100 if self.is_share else 1

    @property
    def final(self) -> str:
        """What the score is called, on the validation part at the end of training."""
        return f"validation {self.label}"

    def name(self, measure: str) -> str:
        """What a measure is called."""
        return "learning-curve area" if measure == AREA else self.final

    @property
    def points(self) -> str:
        """The unit of differences."""
        return "points" if self.is_share else self.unit

    def in_unit(self, text: str) -> str:
        """The head of what is shown in the score's unit."""
        return head(text, self.unit)

    def on(self, part: str) -> str:
        """The head of the score on a part of the data: test accuracy (%)."""
        return self.in_unit(f"{part} {self.label}")

    @property
    def training_loss(self) -> str:
        """The head of the loss on the training part."""
        return head("training loss", self.loss_unit)

    def told(self, caption: str) -> str:
        """A caption with the score's name and unit in the place of `{score}`, and those of its errors in `{error}`."""
        unit = "percent" if self.is_share else self.unit
        for field, name in (("{score}", self.label), ("{error}", self.error_name)):
            caption = caption.replace(field, f"{name} in {unit}" if unit else name)
        return caption

    def number(self, shown: float, digits: int = 1) -> str:
        """A shown value: a share with so many decimals, another with two more digits that count."""
        if self.is_share or not shown or not math.isfinite(shown):
            return f"{shown:.{digits}f}"
        return f"{shown:.{max(0, digits + 1 - math.floor(math.log10(abs(shown))))}f}"

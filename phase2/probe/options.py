"""What the options of all probes are made of.

A probe measures something on networks that is not their training curve. What it writes are tidy tables, which figures
and the report read as they read those of a study. A kind of probe is a folder of this package (`phase2.probe.catalog`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, StrictFloat, StrictInt

from phase2.study import section
from phase2.study.section import CHAPTER, WHOLE, Chapter, Question, Section, distinct

Activations = Annotated[list[section.Activation], AfterValidator(distinct)]
Counts = Annotated[list[section.Count], AfterValidator(distinct)]
Inits = Annotated[list[section.Init], AfterValidator(distinct)]
Optimizers = Annotated[list[section.OptimizerName], AfterValidator(distinct)]
Rates = Annotated[list[section.Rate], AfterValidator(distinct)]
Seeds = Annotated[list[section.Seed], AfterValidator(distinct)]
Sizes = Annotated[  # of random weights: beyond these, variances overflow what theory computes with
    list[Annotated[StrictFloat, Field(gt=0, le=1000), section.NUMBER]], AfterValidator(distinct)
]
Several = Annotated[StrictInt, Field(gt=1), WHOLE]
TRAINING = (("model", "mlp"), ("init", "kaiming"))  # what a probe that trains a perceptron of its own uses
COLUMNS = {  # of tables, where nothing else is said of them
    "activation": "non-linearity",
    "batch_size": "images a step",
    "depth": "hidden layers, or convolutions",
    "init": "initialization",
    "layer": "hidden layer, 1 is the first",
    "lr": "learning rate",
    "optimizer": "update rule",
    "seed": "the repetition, from which all its randomness derives",
    "step": "steps so far; 0 is the start",
    "width": "units a hidden layer",
}
SEEDS = "seeds: all randomness of a repetition derives from its seed"


class Probe(Section):
    """A probe of a run: what all kinds of them have."""

    tables: ClassVar[tuple[str, ...]]  # that it returns, first the one of its finding
    inputs: ClassVar[tuple[str, ...]] = ("data",)  # its arguments besides the options: also runs, and unfamiliar data
    columns: ClassVar[Mapping[str, str]] = {}  # what each column of the tables is; table.column where two differ
    uses: ClassVar[tuple[tuple[str, str], ...]] = ()  # parts, by kind and name, whatever the options say

    probe: str = Field(description="the kind of probe")
    question: Question = Field(description="what the probe asks, in a sentence: printed in the report")
    chapter: Chapter = CHAPTER
    figures: list[str] = Field(description="figures drawn of it, by name")

    @classmethod
    def told(cls, table: str, column: str) -> str | None:
        """What the card says of a column of a table; of a study's axes it says nothing."""
        return cls.columns.get(f"{table}.{column}", cls.columns.get(column, COLUMNS.get(column)))

    def deciding(self) -> dict[str, Any]:
        """The options that decide what is measured, without those at their defaults: a new one measures nothing again,
        and the default of an old one must not change.
        """
        return self.model_dump(mode="json", exclude={"question", "chapter", "figures"}, exclude_defaults=True)

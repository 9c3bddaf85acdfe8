"""The sections of the configuration that a study is trained by: its grid, the data, and what a job may use.

Imports no torch: the Snakefile validates the configuration in every job.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, create_model, field_validator, model_validator

from phase2.errors import UserError
from phase2.study.factors import SEED, factors_of
from phase2.study.parts import check_parts
from phase2.study.section import (
    CHAPTER,
    Chapter,
    Count,
    Folder,
    LoggerName,
    NoneSpelt,
    Positive,
    Question,
    Rate,
    Section,
    distinct,
)
from phase2.study.training import AXES, Training


class Grid(Section):
    """The grid: each axis a list of values; a study has a cell for every combination.

    What may be an axis are the settings below, and the options of a model where all models of the study have them.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    @model_validator(mode="after")
    def _options_are_lists(self) -> "Grid":
        for name, values in (self.model_extra or {}).items():
            if not isinstance(values, list):
                raise UserError(f"{name}: expected a list of values (found {values!r})")
            try:
                distinct(values)
            except UserError as error:
                raise UserError(f"{name}: {error}") from None
        return self

    def values(self) -> dict[str, list[Any]]:
        """The axes that the study has: settings in the order of their fields, options of the models, seed last."""
        fields = {name: value for name in AXES if name != SEED and (value := getattr(self, name)) is not None}
        return fields | (self.model_extra or {}) | {SEED: getattr(self, SEED)}


def _axes() -> Any:
    """The grid with a field for each axis."""
    fields: dict[str, Any] = {}
    for name, place in AXES.items():
        levels = Annotated[list[place.level], AfterValidator(distinct)]  # type: ignore[name-defined]
        says = place.axis.several
        optional = (levels | None, Field(default=None, description=says))
        fields[name] = (levels, Field(description=says)) if name == SEED else optional
    return create_model("Axes", __base__=Grid, __doc__=Grid.__doc__, **fields)


class Study(Training):
    """A grid of training runs, and the question asked of it."""

    question: Question = Field(description="what the study asks, in a sentence: printed in the report")
    axes: _axes() = Field(description="the grid: the values of each axis")  # type: ignore[valid-type]
    keep: Annotated[Literal["none", "best", "half", "all"], NoneSpelt] = Field(
        default="best",
        description="weights kept: none, of the epoch best on validation, also half-way, also of every epoch",
    )
    jobs: Literal["per_seed", "per_combination", "per_study"] = Field(
        default="per_seed",
        description="what a job trains: all seeds in turn, or all cells, spares small trainings their start-up",
    )
    hours: Rate | None = Field(
        default=None, description="what one cell takes on two cores, about: told where shipped cells are lacking"
    )
    chapter: Chapter = CHAPTER
    figures: list[str] = Field(description="figures drawn of this study, by name")

    @model_validator(mode="after")
    def _keeps_equally_many(self) -> "Study":
        if self.keep in ("half", "all") and self.axes.epochs:
            raise UserError(
                f"keep is {self.keep} and epochs is an axis: expected the same files of each cell; set keep to best"
            )
        return self

    @model_validator(mode="after")
    def _parts_take_what_they_are_given(self) -> "Study":
        check_parts(self, self.axes.values())
        return self

    @property
    def factors(self) -> list[str]:
        """The axes that are compared: all but the seed."""
        return factors_of(self.axes.values())


class OwnData(Section):
    """A data set of your own: arrays, images in folders by class, or CSV files, as docs/your-own.md tells."""

    folder: Folder = Field(description="the folder that holds it")


class Data(Section):
    """Where data comes from and where it lies."""

    folder: Folder = Field(
        default=Path("data"), description="folder for downloads (raw/) and memory-mapped arrays (prepared/)"
    )
    mirror: Folder | None = Field(
        default=None,
        description="folder <dataset>/<file> asked before the network; PHASE2_MIRROR does the same",
    )
    sets: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], OwnData] = Field(
        default={}, description="data sets of your own, by name, which studies may then name"
    )

    @field_validator("mirror")
    @classmethod
    def _exists(cls, mirror: Path | None) -> Path | None:
        if mirror is not None and not mirror.is_dir():
            raise UserError(
                f"{mirror} is not a folder: expected <mirror>/<dataset>/<file>; "
                "correct the path, or set it to null to use the other sources"
            )
        return mirror


class Compute(Section):
    """What a job may use."""

    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: a GPU if torch sees one")
    threads: Count = Field(
        default=1, description="threads of a training job: fixed, since results depend on it in the last bit"
    )
    checkpoint_seconds: Rate = Field(default=30.0, description="seconds between in-progress checkpoints of a pack")
    minutes: Positive | None = Field(
        default=None,
        description="after which a job of the graph that trains stops with a checkpoint, and is started again; "
        "null: never",
    )
    logs: list[LoggerName] = Field(
        default=[],
        description="loggers that follow each training step by step, into logs/<run>/; csv is with any other",
    )

"""What all parts of the configuration are made of: sections that refuse what they do not know, and checked names."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

from phase2 import registry
from phase2.errors import UserError, unknown

NO_NORM = "none"  # the level of an axis of norms at which a network has none
NO_LIMIT: Literal["none"] = "none"  # the level of an axis of limits at which gradients are not clipped


def _known(kind: str) -> AfterValidator:
    def check(name: str) -> str:
        registry.module_of(kind, name)
        return name

    return AfterValidator(check)


def _norm(name: str) -> str:
    if name not in (known := [NO_NORM, *registry.names("norm")]):
        raise unknown("norm", name, known)
    return name


def _of_images(dataset: str) -> str:
    images = [name for name in registry.names("dataset") if registry.module_of("dataset", name) == "phase2.data.vision"]
    if dataset not in images:
        raise UserError(f"{dataset} holds text, and the models classify images: expected one of {', '.join(images)}")
    return dataset


def _limit(value: object) -> object:
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if value != NO_LIMIT and not 0 < number < math.inf:
        raise UserError(f"expected a number above 0, or {NO_LIMIT}, which clips nothing (found {value!r})")
    return value


Activation = Annotated[str, _known("activation")]
Dataset = Annotated[str, _known("dataset"), AfterValidator(_of_images)]
Init = Annotated[str, _known("init")]
Norm = Annotated[str, AfterValidator(_norm)]
ModelName = Annotated[str, _known("model")]
OptimizerName = Annotated[str, _known("optimizer")]
Schedule = Annotated[str, _known("schedule")]
Count = Annotated[StrictInt, Field(gt=0)]
Pixels = Literal["natural", "permuted"]
Augment = Literal["none", "crop_flip"]
Backend = Literal["scratch", "fused"]
Head = Literal["gap", "dense"]
Seed = Annotated[StrictInt, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Limit = Annotated[Literal["none"] | float, BeforeValidator(_limit)]
Rate = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

Chapter = Literal["foundations", "convolutions", "optimization"]
Document = Literal["report", "optimization"]
CHAPTER: Chapter = Field(
    default="foundations",
    description="where it is told; optimization is a PDF of its own, of which the report has the findings",
)


def document_of(chapter: Chapter) -> Document:
    """The PDF that has a chapter whole."""
    return "optimization" if chapter == "optimization" else "report"


class Section(BaseModel):
    """A part of the configuration: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def distinct(values: list) -> list:
    """`values`, if there are any and none stands twice; else raises `UserError`."""
    if not values:
        raise UserError("the list is empty: give at least one value, or remove the key")
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise UserError(f"{', '.join(twice)} stands twice: list each value once")
    return values

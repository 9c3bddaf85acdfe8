"""What all parts of the configuration are made of: sections that refuse what they do not know, and checked names."""

import math
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictFloat, StrictInt

from phase2 import registry
from phase2.errors import UserError
from phase2.study.read import as_number
from phase2.tex import unprintable

NO_NORM = "none"  # the level of an axis of norms at which a network has none
NO_LIMIT: Literal["none"] = "none"  # the level of an axis of limits at which gradients are not clipped


def _known(kind: str) -> AfterValidator:
    def check(name: str) -> str:
        registry.part(kind, name)
        return name

    return AfterValidator(check)


def _joined(value: Any) -> Any:
    """Several names as one."""
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return registry.JOIN.join(value)
    return value


def _known_augmentations(names: str) -> str:
    for name in distinct(registry.several(names)):
        registry.part("augmentation", name)
    return names


def _of_images(dataset: str) -> str:
    images = [name for name, part in registry.parts("dataset").items() if part.card.traits.get("holds") == "images"]
    if dataset not in images:
        raise UserError(f"{dataset} holds text, and the models classify images: expected one of {', '.join(images)}")
    return dataset


def _number(value: Any) -> Any:
    """A text that writes a number as that number; a text that does not, and a truth value, are left to be refused."""
    read = as_number(value) if isinstance(value, str) else None
    return value if read is None else read


def _whole(value: Any) -> Any:
    """1e4 is ten thousand images."""
    read = _number(value)
    return int(read) if isinstance(read, float) and read.is_integer() else read


def _limit(value: Any) -> Any:
    limit = _number(value)
    above = limit if isinstance(limit, (int, float)) and not isinstance(limit, bool) else math.nan
    if limit != NO_LIMIT and not 0 < above < math.inf:
        raise UserError(f"expected a number above 0, or {NO_LIMIT}, which clips nothing (found {value!r})")
    return limit


def _spelt_out(value: Any) -> Any:
    if value is None or value is False:
        raise UserError(f"YAML reads no, off and false as False, and null and ~ as None (found {value}): write none")
    return value


def _at_home(folder: Path) -> Path:
    try:
        return folder.expanduser()
    except RuntimeError:
        raise UserError(f"{folder} has no such home folder: write the whole path") from None


def _printable(text: str) -> str:
    if missing := unprintable(text):
        named = [f"{c if c.isprintable() else ascii(c)} ({unicodedata.name(c, 'no name')})" for c in missing[:3]]
        rest = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise UserError(
            f"the report's fonts cannot print {', '.join(named)}{rest}: "
            "use Latin letters, with or without accents, or plain Greek"
        )
    return text


NoneSpelt = BeforeValidator(_spelt_out)  # of a field in which none is a word
Activation = Annotated[str, _known("activation")]
AverageName = Annotated[str, _known("average"), NoneSpelt]
Dataset = Annotated[str, _known("dataset"), AfterValidator(_of_images)]
Init = Annotated[str, _known("init")]
Norm = Annotated[str, _known("norm"), NoneSpelt]
ModelName = Annotated[str, _known("model")]
OptimizerName = Annotated[str, _known("optimizer")]
Schedule = Annotated[str, _known("schedule")]
TaskName = Annotated[str, _known("task")]
LoggerName = Annotated[str, _known("logger")]
Question = Annotated[str, AfterValidator(_printable)]
Folder = Annotated[Path, AfterValidator(_at_home)]
NUMBER, WHOLE = BeforeValidator(_number), BeforeValidator(_whole)
Count = Annotated[StrictInt, Field(gt=0), WHOLE]
Start = Annotated[StrictInt, Field(ge=0), WHOLE]
Pixels = Literal["natural", "permuted"]
Augment = Annotated[
    str,
    AfterValidator(_known_augmentations),
    BeforeValidator(_joined, json_schema_input_type=str | list[str]),
    NoneSpelt,
]
TestTimeAugmentation = Annotated[str, _known("tta"), NoneSpelt]
Decay = Literal["all", "weights"]
Precision = Literal["fp32", "bf16", "fp16"]
Seed = Annotated[StrictInt, Field(ge=0), WHOLE]
Finite = Annotated[StrictFloat, Field(allow_inf_nan=False), NUMBER]
Number = Annotated[StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)], NUMBER]
Positive = Annotated[StrictFloat, Field(gt=0, allow_inf_nan=False), NUMBER]
Limit = Annotated[Literal["none"] | float, BeforeValidator(_limit), NoneSpelt]
Rate = Annotated[StrictFloat, Field(ge=0, allow_inf_nan=False), NUMBER]
Probability = Annotated[StrictFloat, Field(ge=0, lt=1, allow_inf_nan=False), NUMBER]

Chapter = Literal["foundations", "convolutions", "optimization"]
Document = Literal["report", "optimization"]  # a PDF that tells chapters
COMPANION = "companion"  # the PDF that has the record of all chapters
CHAPTER: Chapter = Field(
    default="foundations",
    description="where it is told; optimization is a PDF of its own, and the companion has all",
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

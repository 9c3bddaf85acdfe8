"""The configuration: `config.yaml` and its overlays, read into models that refuse what they do not know.

Every field carries a description; `config/schema.json` is written from these models (`phase2 schema`), so an
editor shows them. Imports no torch: the Snakefile validates the configuration in every job.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StrictBool, StrictInt, ValidationError, field_validator, model_validator

from phase2.errors import UserError, unknown
from phase2.study.names import check_names
from phase2.study.probes import Probe
from phase2.study.read import read
from phase2.study.section import (
    CHAPTER,
    NO_LIMIT,
    NO_NORM,
    Activation,
    Augment,
    Backend,
    Chapter,
    Count,
    Dataset,
    Document,
    Finite,
    Folder,
    Head,
    Init,
    Limit,
    ModelName,
    NoneSpelt,
    Norm,
    OptimizerName,
    Pixels,
    Probability,
    Question,
    Rate,
    Schedule,
    Section,
    Seed,
    distinct,
    document_of,
)


class Task(Section):
    """What is learnt from which data."""

    dataset: Dataset = Field(description="name of a data set: see `phase2 doctor` for where each can come from")
    validation: Count = Field(description="images held out of the training set, the same for every cell")
    train: Count | None = Field(default=None, description="training images used; null: all that validation leaves")
    test: Count | None = Field(default=None, description="test images used, the classes in proportion; null: all")
    pixels: Pixels = Field(default="natural", description="permuted: one fixed permutation of all images' pixels")
    augment: Augment = Field(default="none", description="of training images; crop_flip shifts and mirrors")


class Model(Section):
    """The network."""

    name: ModelName = Field(description="architecture")
    width: Count | None = Field(
        default=None, description="units a hidden layer, channels of the first; null: the architecture's own"
    )
    depth: Count | None = Field(default=None, description="layers; null: the architecture's own")
    activation: Activation = Field(default="relu", description="non-linearity after each hidden layer")
    norm: Norm = Field(default=NO_NORM, description="normalization before each non-linearity; none: there is none")
    dropout: Probability = Field(default=0.0, description="probability that a hidden unit is dropped in training")
    options: dict[str, StrictBool | StrictInt | str] = Field(
        default={}, description="further arguments of the architecture, e.g. {shortcut: B, backend: fused}"
    )


class Optimizer(Section):
    """The optimizer and its base rate; schedules multiply the rate over time."""

    name: OptimizerName = Field(description="update rule")
    lr: Rate = Field(description="learning rate: the peak of every schedule")
    weight_decay: Rate = Field(default=0.0, description="L2 penalty's coefficient")
    options: dict[str, Finite | StrictBool] = Field(
        default={}, description="further arguments of the optimizer, e.g. {momentum: 0.9, nesterov: true}"
    )


class Budget(Section):
    """How long each cell trains: the same for all cells of a study, so that comparisons are fair."""

    epochs: Count = Field(description="passes over the training images")
    batch_size: Count = Field(description="images a step")


class Axes(Section):
    """The grid: each axis a list of values; a study has a cell for every combination."""

    model: list[ModelName] | None = Field(default=None, description="architectures")
    backend: list[Backend] | None = Field(default=None, description="who computes the convolutions")
    head: list[Head] | None = Field(default=None, description="what follows the last convolution")
    pixels: list[Pixels] | None = Field(default=None, description="images as they are, or permuted")
    activation: list[Activation] | None = Field(default=None, description="non-linearities")
    init: list[Init] | None = Field(default=None, description="initializations")
    schedule: list[Schedule] | None = Field(default=None, description="learning-rate schedules")
    optimizer: list[OptimizerName] | None = Field(default=None, description="update rules")
    lr: list[Rate] | None = Field(default=None, description="base learning rates")
    weight_decay: list[Rate] | None = Field(default=None, description="L2 coefficients")
    norm: list[Norm] | None = Field(default=None, description="normalizations; none: there is none")
    dropout: list[Probability] | None = Field(default=None, description="probabilities that a hidden unit is dropped")
    width: list[Count] | None = Field(default=None, description="units a hidden layer, channels of the first")
    depth: list[Count] | None = Field(default=None, description="layers")
    clip: list[Limit] | None = Field(default=None, description="largest gradient norms; none: not clipped")
    clip_value: list[Limit] | None = Field(default=None, description="largest entries of a gradient; none: any")
    epochs: list[Count] | None = Field(default=None, description="passes over the training images")
    batch_size: list[Count] | None = Field(default=None, description="images a step")
    seed: list[Seed] = Field(description="seeds: every random stream of a cell derives from its seed")

    @field_validator("*")
    @classmethod
    def _distinct(cls, values: list[Any] | None) -> list[Any] | None:
        return values if values is None else distinct(values)

    def values(self) -> dict[str, list[Any]]:
        """The axes that the study has, in the order of the configuration's models, seed last."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}


class Study(Section):
    """A grid of training runs, and the question asked of it."""

    question: Question = Field(description="what the study asks, in a sentence: printed in the report")
    task: Task = Field(description="what is learnt from which data")
    model: Model = Field(description="the network")
    init: Init = Field(default="kaiming", description="initialization where no axis says otherwise")
    schedule: Schedule = Field(default="constant", description="learning-rate schedule where no axis says otherwise")
    optimizer: Optimizer = Field(description="the update rule and its settings")
    budget: Budget = Field(description="how long each cell trains")
    clip: Limit = Field(default=NO_LIMIT, description="largest gradient norm; none: norms are not clipped")
    clip_value: Limit = Field(default=NO_LIMIT, description="largest entry of a gradient; none: any")
    axes: Axes = Field(description="the grid: the values of each axis")
    keep: Annotated[Literal["none", "best", "half", "all"], NoneSpelt] = Field(
        default="best",
        description="weights kept: none, of the epoch best on validation, also half-way, also of every epoch",
    )
    jobs: Literal["per_seed", "per_combination", "per_study"] = Field(
        default="per_seed",
        description="what a job trains: all seeds in turn, or all cells, spares small trainings their start-up",
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

    @property
    def factors(self) -> list[str]:
        """The axes that are compared: all but the seed."""
        return [name for name in self.axes.values() if name != "seed"]


class Data(Section):
    """Where data comes from and where it lies."""

    folder: Folder = Field(
        default=Path("data"), description="folder for downloads (raw/) and memory-mapped arrays (prepared/)"
    )
    mirror: Folder | None = Field(
        default=None,
        description="folder <dataset>/<file> asked before the network; PHASE2_MIRROR does the same",
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


class Config(Section):
    """A run: everything that decides what is computed."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] = Field(description="name: results go to results/<run>/")
    data: Data = Field(default_factory=Data, description="where data comes from and where it lies")
    compute: Compute = Field(default_factory=Compute, description="what a job may use")
    studies: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Study] = Field(
        min_length=1, description="the studies of this run, by name; null omits one"
    )
    probes: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Probe] = Field(
        default={}, description="the probes of this run, by name: what is measured besides training; null omits one"
    )
    missing: list[str] = Field(
        default=[],
        description="studies and probes that failed, written by a run that goes on without them: never by hand",
    )

    @property
    def documents(self) -> list[str]:
        """The PDFs that there is something for: the report always."""
        used = {document_of(subject.chapter) for subject in (*self.studies.values(), *self.probes.values())}
        return [document for document in get_args(Document) if document == "report" or document in used]

    @field_validator("studies", "probes", mode="before")
    @classmethod
    def _without_left_out(cls, parts: Any) -> Any:
        """An overlay leaves a study or a probe out by setting it to null."""
        return {name: part for name, part in parts.items() if part is not None} if isinstance(parts, dict) else parts

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        if there := [name for name in self.missing if name in (*self.studies, *self.probes)]:
            raise UserError(f"missing: {there[0]} is there: remove it from the list, which a run alone writes")
        for name, probe in self.probes.items():
            if name in self.studies:
                raise UserError(f"probes.{name} has the name of a study, whose results lie beside its own: rename one")
            study = getattr(probe, "study", None)
            if study is not None and study not in self.studies:
                raise UserError(f"probes.{name}.study: {unknown('study', study, self.studies)}")
            if study is not None and (kept := self.studies[study].keep) not in probe.reads:
                raise UserError(
                    f"probes.{name} reads the weights of {study}, which keeps {kept}: set its keep to {probe.reads[0]}"
                )
        if self.run == "bench":
            raise UserError("run: results/bench holds what `phase2 bench` measured: choose another name")
        check_names(studies=self.studies, probes=self.probes)
        return self


def schema() -> dict[str, Any]:
    """The JSON Schema of the configuration: what config/schema.json holds."""
    return Config.model_json_schema()


def validate(content: dict[str, Any]) -> Config:
    """Validates a configuration; raises `UserError` naming each wrong value, its key, what was expected."""
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(item).removeprefix(': ')}" for item in error.errors())
        raise UserError(f"the configuration is wrong:\n{problems}") from None


def _explain(item: Any) -> str:
    place = ".".join(part for part in map(str, item["loc"]) if not part.startswith("function-"))
    if item["type"] == "extra_forbidden":
        *parents, key = item["loc"]
        return f"{place}: {unknown('key', key, _fields_at(parents))}"
    if item["type"] == "union_tag_invalid":
        return f"{place}.probe: {unknown('probe', item['ctx']['tag'], _PROBES)}"
    if item["type"] == "missing":
        return f"{place}: is missing"
    message, value = item["msg"].removeprefix("Value error, "), item["input"]
    given = "" if item["type"] == "value_error" else f" (found {value!r})"
    truth = isinstance(value, bool) and item["type"] in ("string_type", "literal_error")
    number = item["type"] == "string_type" and isinstance(value, (int, float))
    hint = "; YAML reads yes, no, on and off as True and False" if truth else ""
    return f"{place}: {message}{given}{hint}" + ("; in quotes it is text" if truth or number else "")


def _fields_at(place: Iterable[Any]) -> list[str]:
    """The keys allowed at a place of the configuration, for the message about one that is not."""
    first, *rest = [*place, None]
    if first == "probes":
        return list(_PROBES[rest[1]].model_fields)
    section: Any = Config
    for part in place:
        section = Study if section == _STUDIES else section.model_fields[part].annotation
    return list(section.model_fields)


_STUDIES = Config.model_fields["studies"].annotation
_PROBES = {get_args(kind.model_fields["probe"].annotation)[0]: kind for kind in get_args(get_args(Probe)[0])}


def load(paths: Iterable[Path], assignments: Iterable[str] = ()) -> Config:
    """The configuration of the files, later ones laid over earlier ones, and over them assignments such as run=mine."""
    return validate(read(paths, assignments))

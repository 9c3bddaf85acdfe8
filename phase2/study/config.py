"""The configuration: `config.yaml` and its overlays, read into models that refuse what they do not know.

Every field carries a description; `config/schema.json` is written from these models (`phase2 schema`), so an
editor shows them. Imports no torch: the Snakefile validates the configuration in every job.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field, ValidationError, create_model, field_validator, model_validator

from phase2.errors import UserError, unknown
from phase2.study.names import check_names
from phase2.study.own import use_own
from phase2.study.parts import check_parts
from phase2.study.probes import Probe
from phase2.study.read import read
from phase2.study.section import (
    CHAPTER,
    Chapter,
    Count,
    Document,
    Folder,
    NoneSpelt,
    Question,
    Rate,
    Section,
    distinct,
    document_of,
)
from phase2.study.training import AXES, Training

SEED = "seed"


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
        return [name for name in self.axes.values() if name != SEED]


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


class Config(Section):
    """A run: everything that decides what is computed."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] = Field(description="name: results go to results/<run>/")
    parts: list[Folder] = Field(default=[], description="folders of your own parts: docs/your-own.md tells how")
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
    use_own(content)
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

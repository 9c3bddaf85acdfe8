"""The configuration of a run: `config.yaml` and its overlays, read into models that refuse what they do not know.

Every field carries a description; `config/schema.json` is written from these models (`phase2 schema`), so an
editor shows them. Imports no torch: the Snakefile validates the configuration in every job.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Union, get_args

from pydantic import Field, PlainValidator, SerializeAsAny, ValidationError, field_validator, model_validator

from phase2.errors import UserError, unknown
from phase2.figures.catalog import figures
from phase2.probe.catalog import PROBES, probes
from phase2.probe.options import Probe
from phase2.run.names import check_names
from phase2.study.cell import Cell, cells_of
from phase2.study.config import Compute, Data, Study
from phase2.study.own import use_own
from phase2.study.read import read
from phase2.study.section import COMPANION, Document, Folder, Section, document_of

# Which keys each kind of the package's has: what an editor is told.
SHIPPED: Any = Annotated[Union[tuple(PROBES.values())], Field(discriminator="probe")]  # noqa: UP007


def _probe(section: Any) -> Probe:
    """A section read by the options of its kind of probe, which may be one of the user's."""
    if not isinstance(section, dict) or "probe" not in section:
        raise UserError(f"expected a section with a key probe, the kind: one of {', '.join(probes())}")
    if not isinstance(section["probe"], str) or section["probe"] not in probes():
        raise unknown("probe", section["probe"], probes())
    return probes()[section["probe"]].model_validate(section)


AnyProbe = Annotated[SerializeAsAny[Probe], PlainValidator(_probe, json_schema_input_type=SHIPPED)]


class Config(Section):
    """A run: everything that decides what is computed."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")] = Field(description="results go to results/<run>/")
    parts: list[Folder] = Field(default=[], description="folders of your own parts: docs/your-own.md tells how")
    data: Data = Field(default_factory=Data, description="where data comes from and where it lies")
    compute: Compute = Field(default_factory=Compute, description="what a job may use")
    studies: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Study] = Field(
        min_length=1, description="the studies of this run, by name; null omits one"
    )
    probes: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], AnyProbe] = Field(
        default={}, description="the probes of this run, by name: what is measured besides training; null omits one"
    )
    shipped: Folder | None = Field(
        default=None,
        description="folder of finished cells that the run shows as they were trained, by whatever code, and trains "
        "none; `phase2 ship` writes it from the cell store",
    )
    missing: list[str] = Field(
        default=[],
        description="studies and probes that failed, written by a run that goes on without them: never by hand",
    )
    untrained: dict[str, str] = Field(
        default={},
        description="studies of which shipped cells are lacking, with how many and their hours, written by a run: "
        "never by hand",
    )

    @property
    def gaps(self) -> list[str]:
        """What the run lacks, a sentence each."""
        failed = [f"Without {', '.join(self.missing)}, which failed."] if self.missing else []
        return failed + [f"Of {name} {told} are not trained yet." for name, told in self.untrained.items()]

    @property
    def documents(self) -> list[str]:
        """The PDFs that there is something for: the report and the companion always."""
        chapters = [each.chapter for each in self.studies.values()] + [each.chapter for each in self.probes.values()]
        used = set(map(document_of, chapters))
        return [document for document in get_args(Document) if document == "report" or document in used] + [COMPANION]

    def datasets_of(self, probe: str) -> dict[str, str]:
        """The data sets that a probe reads, by the argument that takes each; networks are read with their data."""
        options: Any = self.probes[probe]
        study = getattr(options, "study", None)
        own = self.studies[study].task.dataset if study else getattr(options, "dataset", None)
        sources = {"data": own, "unfamiliar": getattr(options, "unfamiliar", None)}
        read = {"data" if name == "runs" else name for name in options.inputs}
        return {role: dataset for role, dataset in sources.items() if role in read and dataset is not None}

    def runs_of(self, probe: str) -> list[Cell]:
        """The cells whose networks a probe reads: those of its study, less those that its `where` leaves out."""
        options: Any = self.probes[probe]
        if "runs" not in options.inputs:
            return []
        where = getattr(options, "where", {})
        cells = cells_of(options.study, self.studies[options.study])
        return [cell for cell in cells if all(dict(cell.axes)[axis] in levels for axis, levels in where.items())]

    @property
    def datasets(self) -> list[str]:
        """The data sets that the run reads."""
        studies = {study.task.dataset for study in self.studies.values()}
        return sorted(studies | {dataset for name in self.probes for dataset in self.datasets_of(name).values()})

    def _check_where(self, name: str, where: dict[str, list[Any]]) -> None:
        for axis, levels in where.items():
            axes = self.studies[self.probes[name].study].axes.values()  # type: ignore[attr-defined]
            if axis not in axes:
                raise UserError(f"probes.{name}.where: {unknown('axis', axis, axes)}")
            if not levels:
                raise UserError(f"probes.{name}.where.{axis}: the list is empty: give levels, or leave the axis out")
            if lacking := [level for level in levels if level not in axes[axis]]:
                raise UserError(f"probes.{name}.where.{axis}: the study has no {lacking[0]}, but {axes[axis]}")

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
            self._check_where(name, getattr(probe, "where", {}))
            if study is not None and self.studies[study].keep == "none":
                raise UserError(f"probes.{name} reads the weights of {study}, which keeps none: set its keep to best")
        if self.shipped is not None and self.probes:
            raise UserError("shipped: a run of shipped cells measures nothing: set its probes to null")
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
    probes(), figures()  # one of the user's that is wrong is refused, whether it is named or not
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {_explain(item, content).removeprefix(': ')}" for item in error.errors())
        raise UserError(f"the configuration is wrong:\n{problems}") from None


def _explain(item: Any, content: dict[str, Any]) -> str:
    place = ".".join(part for part in map(str, item["loc"]) if not part.startswith("function-"))
    if item["type"] == "extra_forbidden":
        *parents, key = item["loc"]
        return f"{place}: {unknown('key', key, _fields_at(parents, content))}"
    if item["type"] == "missing":
        return f"{place}: is missing"
    message, value = item["msg"].removeprefix("Value error, "), item["input"]
    given = "" if item["type"] == "value_error" else f" (found {value!r})"
    truth = isinstance(value, bool) and item["type"] in ("string_type", "literal_error")
    number = item["type"] == "string_type" and isinstance(value, (int, float))
    hint = "; YAML reads yes, no, on and off as True and False" if truth else ""
    return f"{place}: {message}{given}{hint}" + ("; in quotes it is text" if truth or number else "")


def _fields_at(place: list[Any], content: dict[str, Any]) -> list[str]:
    """The keys allowed at a place of the configuration, for the message about one that is not."""
    section: Any = Config
    if place[:1] == ["probes"]:
        section, place = probes()[content["probes"][place[1]]["probe"]], place[2:]
    for part in place:
        section = Study if section == _STUDIES else section.model_fields[part].annotation
    return list(section.model_fields)


_STUDIES = Config.model_fields["studies"].annotation


def load(paths: Iterable[Path], assignments: Iterable[str] = ()) -> Config:
    """The configuration of the files, later ones laid over earlier ones, and over them assignments such as run=mine."""
    return validate(read(paths, assignments))

"""The configuration's reference page, `config/README.md`, written from the models' own descriptions."""

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from phase2 import registry
from phase2.study.cell import cells_of
from phase2.study.config import Config, load
from phase2.study.provenance import ROOT

HEAD = """# Configuration, key by key

<!-- Written by `phase2 schema --markdown > config/README.md`; a test fails when it is not in step. -->

`config.yaml` is the default run. An overlay is laid over it section by section, lists replaced whole:
`snakemake --cores 2 report --configfile config/smoke.yaml`. A wrong value stops the run before anything is computed,
with the nearest known name. Adding a value to an axis trains the new cells only.
"""

COSTS = {  # of each run, by its overlay, with a quick network
    None: "a quarter of an hour on 2 cores, 0.9 GB",
    "smoke": "4 minutes on 2 cores, 50 MB",
    "full": "a GPU; not yet measured",
}


def reference() -> str:
    """The page: the runs at hand, a table for each section of the configuration, and the names that it may use."""
    tables = [_table("the top level", Config), *(_table(place, model) for place, model in _sections(Config, ""))]
    names = [f"- {kind}: {', '.join(f'`{name}`' for name in registry.names(kind))}" for kind in registry.COMPONENTS]
    return "\n".join([HEAD, _runs(), *tables, "## Known names\n", *names, ""])


def _runs() -> str:
    """A table of the runs that the project has a configuration for, with what each computes and costs."""
    head = "| overlay | run | data | cells | probes | time and disk |\n|---|---|---|---|---|---|"
    return "\n".join([head, *(_run(overlay, cost) for overlay, cost in COSTS.items()), ""])


def _run(overlay: str | None, cost: str) -> str:
    file = f"config/{overlay}.yaml"
    config = load([ROOT / "config.yaml", *([ROOT / file] if overlay else [])])
    data = sorted({f"`{study.task.dataset}`" for study in config.studies.values()})
    cells = sum(len(cells_of(name, study)) for name, study in config.studies.items())
    place = f"`{file}`" if overlay else "(none)"
    return f"| {place} | `{config.run}` | {', '.join(data)} | {cells:,} | {len(config.probes)} | {cost} |"


def _sections(model: type[BaseModel], place: str) -> list[tuple[str, type[BaseModel]]]:
    """Every section below a model, with its place in the file."""
    found = []
    for name, field in model.model_fields.items():
        for section in _models_in(field.annotation):
            here = f"{place}{name}." + ("<name>." if name in ("studies", "probes") else "")
            found += [(here.rstrip("."), section), *_sections(section, here)]
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _table(place: str, model: type[BaseModel]) -> str:
    fields = model.model_fields.items()
    rows = [f"| `{name}` | {_default(field)} | {field.description} |" for name, field in fields]
    head = (model.__doc__ or "").strip()
    return "\n".join([f"## {place}\n", f"{head}\n", "| key | default | meaning |", "|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory:
        return "see below"
    return "null" if field.default is None else f"`{field.default}`"

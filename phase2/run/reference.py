"""The configuration's reference page, `config/README.md`, written from the models' own descriptions."""

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from phase2 import registry
from phase2.probe.catalog import PROBES
from phase2.probe.options import Probe
from phase2.run.config import Config, load
from phase2.source import ROOT
from phase2.study.cell import cells_of

HEAD = """# Configuration, key by key

<!-- Written by `phase2 schema --markdown > config/README.md`; a test fails when it is not in step. -->

`config.yaml` is the default run. An overlay is laid over it section by section, lists replaced whole:
`snakemake --cores 2 all --configfile config/smoke.yaml`. A wrong value stops the run before anything is computed,
with the nearest known name. Adding a value to an axis trains the new cells only.

## From the command line

Single values go over all files: first `config.yaml`, over it the overlays in their order, over them the command line.

```
phase2 train mlp_grid --set studies.mlp_grid.budget.epochs=3 --set compute.device=cpu
snakemake --cores 2 --config "studies={mlp_grid.budget.epochs: 3, mlp_grid.axes.seed: [0, 1]}" "compute={device: cpu}"
```

Both read a value as a file would. `phase2` takes both spellings; Snakemake refuses a dot before the `=`. Of `--config`
or `--configfile` given twice it would take the last alone, so that is refused: write `--configfile a.yaml b.yaml`.

## How it is read

- Numbers are those of YAML 1.2: `1e-1` and `10_000` are numbers, `010` is ten, and a whole number may be written `1e4`.
  A number in quotes is a number where one is wanted; `true` is never one.
- YAML takes `no`, `off` and `false` for a truth value and `null` for nothing: where nothing is a choice, write `none`.
- A key that stands twice in one section is an error. `~/` is the home folder; other variables are left as they are.
- A question may have Latin letters with accents, Greek letters and common signs: what the report's fonts can print.
- A study's name is lower case; names that a run uses itself, such as `report`, are refused.
"""

COSTS = {  # of each run, by its overlay, with a quick network
    None: "20 to 45 minutes on 2 cores, 0.4 GB",
    "smoke": "4 to 14 minutes on 2 cores, 50 MB",
    "full": "a GPU; not yet measured",
    "cifar": "an hour on 2 cores, 0.5 GB",
    "reference": "2 minutes: its cells are shipped (22 hours on 2 cores to train all again)",
}


def reference() -> str:
    """The page: the runs at hand, a table for each section of the configuration, and the names that it may use."""
    tables = [_table("the top level", Config), *(_table(place, model) for place, model in _sections(Config, ""))]
    names = [f"- {kind}: {', '.join(f'`{name}`' for name in registry.names(kind))}" for kind in registry.ROOMS]
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
            kind = "".join(f", probe: {name}" for name, probe in PROBES.items() if probe is section)
            found += [(here.rstrip(".") + kind, section), *_sections(section, here)]
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if annotation is Probe:
        return list(PROBES.values())
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

"""Runs one probe of a configuration: opens what it reads, calls it, and says what its tables were made from."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from phase2 import registry
from phase2.data.checked import open_checked
from phase2.errors import UserError
from phase2.probe.catalog import check_loaded, load, probe_code
from phase2.probe.options import Probe
from phase2.probe.runs import read_runs
from phase2.run.config import Config
from phase2.study.code import components_of
from phase2.study.provenance import environment
from phase2.train.memory import keep_freed_memory


def measure(name: str, config: Config, checkpoints: Path) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables of the probe `name`, and their provenance. `checkpoints` is the folder of the run."""
    torch.set_num_threads(config.compute.threads)
    keep_freed_memory()
    options: Any = config.probes[name]
    prepared = config.data.folder / "prepared"
    data = {role: open_checked(prepared / dataset) for role, dataset in config.datasets_of(name).items()}
    inputs: dict[str, Any] = {role: source for role, source in data.items() if role in options.inputs}
    cells = config.runs_of(name)
    if "runs" in options.inputs:
        inputs["runs"] = read_runs(cells, checkpoints, data["data"])
    began = time.monotonic()
    with registry.noted() as loaded:
        tables = load(options.probe)(options, **inputs)
    check_loaded(options, loaded, {part for cell in cells for part in components_of(cell.settings)})
    if set(tables) != set(options.tables):
        raise UserError(f"the probe {options.probe} made {sorted(tables)}, expected {options.tables}")
    if options.columns and (untold := _untold(options, tables, {axis for cell in cells for axis, _ in cell.axes})):
        raise UserError(f"the probe {options.probe}: columns in its card says nothing of {', '.join(untold)}: add them")
    return tables, {
        "probe": options.probe,
        "options": options.model_dump(mode="json", exclude={"question", "figures"}),
        "code": probe_code(options),
        "data": {role: source.hash for role, source in data.items()},
        "study": options.study if cells else None,
        "cells": [cell.id for cell in cells],
        "seconds": time.monotonic() - began,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        **environment(),
    }


def _untold(options: Probe, tables: dict[str, pd.DataFrame], axes: set[str]) -> list[str]:
    """The columns that the card does not describe, but for the axes of its study."""
    every = [(name, str(column)) for name, table in tables.items() for column in table if column not in axes]
    return [f"{name}.{column}" for name, column in every if options.told(name, column) is None]

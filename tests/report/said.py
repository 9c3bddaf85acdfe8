"""What the report says of a probe whose tables are made up: read from a run's folder, with all macros expanded."""

import json
import re
import tempfile
from pathlib import Path

import pandas as pd

from phase2.probe.catalog import PROBES
from phase2.report.macros import Ledger
from phase2.report.probes import read_probe, state_probe
from phase2.tex import macro_name

SEEDS = [0, 1, 2]
NETWORK = {"dataset": "digits", "width": 32, "depth": 4}
OPTIONS = {
    "activation_shapes": {"activations": ["relu", "gelu", "selu"]},
    "four_ways": NETWORK | {"train": 500, "epochs": 3, "batch_size": 16, "lr": 0.1},
    "lsuv_convergence": NETWORK | {"activations": ["relu", "tanh"], "batch": 128},
    "gradient_flow": NETWORK | {"activations": ["relu", "tanh"], "inits": ["kaiming", "xavier"], "batch": 128},
    "mean_field": {"activations": ["relu", "tanh"], "weight_stds": [0.5, 2.0], "bias_stds": [0.0, 0.3]}
    | {"width": 300, "depth": 12},
    "batch_noise": {"dataset": "digits", "batch_sizes": [4, 16, 64], "draws": 500, "width": 32},
    "approximation": {"targets": ["sine", "step"], "activation": "tanh", "widths": [4, 64], "depths": [1, 3]}
    | {"points": 256, "epochs": 20, "batch_size": 32, "lr": 0.01},
    "unit_health": {"study": "activations_deep", "batch": 200},
    "uncertainty": {"study": "dropout", "unfamiliar": "digits", "dropout": 0.5, "angles": [0, 45, 90]}
    | {"samples": 20, "images": 300},
    "range_test": NETWORK
    | {"train": 500, "optimizers": ["sgd", "adam"], "low": 1e-6, "high": 10.0}
    | {"steps": 100, "batch_size": 32},
    "trajectories": NETWORK
    | {"train": 500, "optimizers": ["sgd", "adam"], "rates": [0.01, 0.1, 1.0], "epochs": 2}
    | {"batch_size": 32, "seed": 0, "points": 9, "condition": 100.0, "steps": 40},
    "kernel_regime": {"dataset": "digits", "train": 128, "test": 500, "activations": ["relu", "erf"], "depth": 2}
    | {"widths": [16, 64, 256], "steps": 100, "memory_mb": 500},
    "edge_of_stability": NETWORK
    | {"train": 300, "activation": "tanh", "rates": [0.02, 0.04], "steps": 100, "every": 20},
    "curvature": {"study": "batch_sizes", "images": 1000, "draws": 50},
    "feature_hierarchy": {"study": "architectures", "train": 1000, "test": 500, "steps": 80},
    "receptive_field": {"study": "architectures", "depths": [2, 4, 8, 16], "width": 16, "images": 64},
    "layer_responses": {"study": "plain_or_residual", "images": 500},
    "model_sizes": {},
    "landscape": {"study": "norm_depth", "images": 500, "radius": 1.0, "line": 31, "plane": 21},
}


SEEDLESS = (
    *("activation_shapes", "unit_health", "uncertainty", "trajectories", "landscape", "curvature"),
    *("feature_hierarchy", "layer_responses", "model_sizes"),
)


def said(kind: str, tables: dict[str, pd.DataFrame], **options) -> tuple[str, str]:
    """What was measured and what was found. No number may stand outside of a macro."""
    section = {"probe": kind, "question": "What?", "figures": []} | OPTIONS[kind] | options
    section |= {} if kind in SEEDLESS else {"seeds": section.get("seeds", SEEDS)}
    config = {"probes": {"a_probe": PROBES[kind].model_validate(section).model_dump(mode="json")}}
    ledger = Ledger()
    with tempfile.TemporaryDirectory() as run:
        folder = Path(run) / "tables" / "a_probe"
        folder.mkdir(parents=True)
        (folder / "provenance.json").write_text(json.dumps({"probe": kind}))
        for name in PROBES[kind].tables:
            tables.get(name, rows(["unread"])).to_csv(folder / f"{name}.csv", index=False)
        state_probe(read_probe(Path(run), "a_probe", config), ledger)
    values = {name: macro.value for name, macro in ledger.entries.items()}
    measured, finding = (expand(values[macro_name("a_probe", name)], values) for name in ("Measured", "Finding"))
    return measured, finding


def expand(text: str, values: dict[str, str]) -> str:
    """`text` with macros replaced by their values; without a number of its own, and fit for TeX."""
    assert not re.search(r"\d", re.sub(r"\\cite\{\w+\}", "", text)), f"a number was typed: {text}"
    call = re.compile(r"\\([A-Za-z]+)\{\}")
    while any(match in values for match in call.findall(text)):
        text = call.sub(lambda match: values.get(match[1], match[0]), text)
    assert "_" not in re.sub(r"\$[^$]*\$|\\_", "", text), f"an underscore that TeX would stumble over: {text}"
    return text


def rows(columns: list[str], *values: tuple) -> pd.DataFrame:
    """A table from its rows."""
    return pd.DataFrame(list(values), columns=columns)

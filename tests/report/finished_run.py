"""A finished run as the pipeline leaves it, made up: tables, environment, data's meta and figures."""

import json
from itertools import product
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from phase2.probe.catalog import PROBES
from phase2.report.build import write_sources
from phase2.run.config import Config, validate
from phase2.stats import analyse
from phase2.study.score import Score, card_of_score

matplotlib.use("Agg")

DESK = {
    "activation": ["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"],
    "init": ["xavier", "kaiming", "lsuv", "normal_small", "normal_large"],
    "schedule": ["constant", "step", "cosine", "warm_restarts", "one_cycle"],
    "seed": [0, 1, 2, 3, 4],
}
SMOKE = {
    "activation": ["relu", "tanh"],
    "init": ["kaiming", "normal_large"],
    "schedule": ["constant", "cosine"],
    "seed": [0, 1],
}
SCORE = Score.of(card_of_score("images"), classes=10)
COST = {"tanh": 0.012, "sigmoid": 0.05, "leaky_relu": 0.001, "normal_small": 0.03, "normal_large": 0.06}
COST |= {"constant": 0.012, "step": 0.004, "warm_restarts": 0.002, "one_cycle": -0.004, "xavier": 0.003}
FIGURES = ["score_heatmap", "learning_curves", "schedules", "ranking", "variance", "pairs", "divergence"]


def make_cells(axes: dict, effect: float = 1.0, failures: bool = True, noise: float = 0.003) -> pd.DataFrame:
    """Finished cells of a grid; `effect` scales what the levels do."""
    draw, rows = np.random.default_rng(0), []
    for number, levels in enumerate(product(*axes.values())):
        spec = dict(zip(axes, levels, strict=True))
        stuck = failures and spec.get("init") == "normal_small" and spec.get("activation") in ("tanh", "sigmoid")
        stuck |= failures and spec.get("activation") == "sigmoid" and spec.get("init") == "kaiming"
        lost = failures and spec.get("init") == "normal_large" and spec.get("activation") in ("relu", "leaky_relu")
        lost = lost and draw.random() < 0.8
        value = 0.862 - effect * sum(COST.get(str(level), 0) for level in levels) + draw.normal(0, noise)
        value = 0.1 if stuck else value
        rows.append(
            {"id": f"{number:012x}", **spec, "study": "mlp_grid", "status": "diverged" if lost else "ok"}
            | {"diverged_step": float(draw.integers(1, 90)) if lost else np.nan}
            | {
                "val_accuracy": np.nan if lost else value,
                "test_accuracy": np.nan if lost else value - 0.004,
                "curve_area": np.nan if lost else 0.95 * value - 0.01,
                "steps": 632,
            }
            | {"seconds": 1.9, "data": "9f" * 32, "code": "c0de" * 16, "commit": "4b" * 20, "dirty": False}
            | {"device": "cpu", "torch": "2.14.1", "finished": "2026-01-01T00:00:00"}
        )
    return pd.DataFrame(rows)


def make_config(axes: dict, figures: list[str] = FIGURES, **options) -> Config:
    """The configuration of the run; `options` are further settings of the study."""
    study = {
        "question": "How much of a perceptron's accuracy is decided by its activation?",
        "task": {"dataset": "fashion_mnist", "validation": 2000, "train": 10000},
        "model": {"name": "mlp", "width": 64, "depth": 6},
        "optimizer": {
            "name": "sgd",
            "lr": 0.05,
            "weight_decay": 0.0005,
            "options": {"momentum": 0.9, "nesterov": True},
        },
        "budget": {"epochs": 8, "batch_size": 128},
        "axes": axes,
        "figures": figures,
    }
    probe = {
        "probe": "activation_shapes",
        "question": "What do activations do?",
        "activations": ["relu"],
        "figures": [],
    }
    return validate({"run": "desk", "studies": {"mlp_grid": study | options}, "probes": {"shapes": probe}})


def make_claim(name: str = "tanh beats relu", **changes) -> dict:
    """A claim as it was judged."""
    numbers = {
        "gain": {
            "value": 0.012,
            "low": -0.004,
            "high": 0.02,
            "n": 5,
            "unit": "points",
            "text": "+1.2 points [-0.4, 2.0]",
        }
    }
    return {
        **{"name": name, "subject": "mlp_grid", "kind": "study", "chapter": "foundations"},
        **{
            "sentence": "With tanh 100% of networks_train better.",
            "verdict": "supported",
            "why": "",
            "numbers": numbers,
        },
        **{
            "seeds": 5,
            "images": 10000,
            "steps": 632,
            "most_steps": 632,
            "registered": True,
            "room": 0.99,
            "source": "phase2/x.py:12",
        },
        **changes,
    }


CLAIMS = [
    make_claim(),
    make_claim("a planted falsehood", verdict="denied", registered=False),
    make_claim("too little to say", verdict="cannot say", why="needs 8 seeds, has 5", numbers={}, room=None),
]
BASELINES = pd.DataFrame(
    {"model": ["majority", "logistic"], "penalty": [np.nan, 1e-3], "val_score": [0.1, 0.84], "test_score": [0.1, 0.83]}
)
DATASETS = {
    "fashion_mnist": {
        "classes": [str(i) for i in range(10)],
        "origin": "Fashion-MNIST, 28x28 grey images of Zalando's articles",
        "hash": "9f" * 32,
        "arrays": {
            "train_images": {"shape": [60000, 1, 28, 28]},
            "test_images": {"shape": [10000, 1, 28, 28]},
        },
    }
}
ENVIRONMENT = {
    "python": "3.11.7",
    "packages": {"torch": "2.14.1", "numpy": "2.4.6", "scipy": "1.17.1", "pandas": "3.1.1", "dvc": None},
    "platform": "Linux-6.1-x86_64-with-glibc2.36",
    "cpu": "Some CPU @ 2.00GHz",
    "cores": 2,
    "commit": "4b" * 20,
    "commit_time": 1767225600,
    "dirty": False,
}
PROVENANCE = ENVIRONMENT | {
    **{"probe": "activation_shapes", "options": {"activations": ["relu"]}, "code": "ab" * 32, "data": {}},
    **{"study": None, "cells": [], "seconds": 1.0, "finished": "2026-01-01T00:00:00"},
}


def write_run(
    folder: Path,
    axes: dict,
    cells: pd.DataFrame,
    figures: list[str] = FIGURES,
    score: Score = SCORE,
    claims: list[dict] = CLAIMS,
    **options,
) -> Config:
    """Writes a run's folder and returns its configuration."""
    tables, shapes = (folder / "tables" / name for name in ("mlp_grid", "shapes"))
    tables.mkdir(parents=True)
    shapes.mkdir()
    cells.to_csv(tables / "cells.csv", index=False)
    BASELINES.to_csv(tables / "baseline.csv", index=False)
    factors = [axis for axis in axes if axis != "seed"]
    for name, table in analyse(cells, factors, score).items():
        table.to_csv(tables / f"{name}.csv", index=False)
    for name in PROBES["activation_shapes"].tables:
        pd.DataFrame({"activation": ["relu"] * 30, "x": range(30), "value": 1e-7}).to_csv(
            shapes / f"{name}.csv", index=False
        )
    (shapes / "provenance.json").write_text(json.dumps(PROVENANCE))
    (folder / "claims.json").write_text(json.dumps(claims))
    (folder / "derivations").mkdir()
    (folder / "derivations" / "derivations.tex").write_text("\\subsection{A derivation} One. \\checked{symbolically}\n")
    (folder / "figures" / "mlp_grid").mkdir(parents=True)
    for figure in figures:
        canvas = Figure(figsize=(6.75, 2.4))
        canvas.text(0.5, 0.5, figure)
        canvas.savefig(folder / "figures" / "mlp_grid" / f"{figure}.pdf", metadata={"CreationDate": None})
    return make_config(axes, figures, **options)


def write_report(folder: Path, axes: dict, **options) -> Config:
    """Writes a run's folder with the sources of its PDFs; `options` are those of `make_cells` and `write_run`."""
    of_cells = {name: options.pop(name) for name in ("effect", "failures", "noise") if name in options}
    config = write_run(folder, axes, options.pop("cells", make_cells(axes, **of_cells)), **options)
    write_sources(folder, folder / "report", config, DATASETS, ENVIRONMENT)
    return config

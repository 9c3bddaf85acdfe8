"""A finished run as the pipeline leaves it, made up: tables, environment, data's meta and figures."""

import json
from itertools import product
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

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
                "test_accuracy": np.nan if lost else value,
                "curve_area": np.nan if lost else 0.95 * value - 0.01,
            }
            | {"seconds": 1.9, "data": "9f" * 32, "code": "c0de" * 16, "commit": "4b" * 20, "dirty": False}
            | {"device": "cpu", "torch": "2.14.1", "finished": "2026-01-01T00:00:00"}
        )
    return pd.DataFrame(rows)


def make_config(axes: dict, figures: list[str] = FIGURES) -> dict:
    study = {
        "question": "How much of a perceptron's accuracy is decided by its activation?",
        "task": {"dataset": "fashion_mnist", "validation": 2000, "train": 10000},
        "model": {"name": "mlp", "width": 64, "depth": 6, "activation": "relu", "norm": "none", "dropout": 0.0},
        "init": "kaiming",
        "schedule": "constant",
        "optimizer": {
            "name": "sgd",
            "lr": 0.05,
            "weight_decay": 0.0005,
            "options": {"momentum": 0.9, "nesterov": True},
        },
        "budget": {"epochs": 8, "batch_size": 128},
        "clip": "none",
        "clip_value": "none",
        "chapter": "foundations",
        "axes": {"optimizer": None, **axes},
        "figures": figures,
    }
    return {"run": "desk", "compute": {"threads": 1}, "studies": {"mlp_grid": study}, "probes": {}}


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


def write_run(
    folder: Path, axes: dict, cells: pd.DataFrame, figures: list[str] = FIGURES, score: Score = SCORE
) -> dict:
    """Writes a run's folder and returns its configuration."""
    tables = folder / "tables" / "mlp_grid"
    tables.mkdir(parents=True)
    cells.to_csv(tables / "cells.csv", index=False)
    factors = [axis for axis in axes if axis != "seed"]
    for name, table in analyse(cells, factors, score).items():
        table.to_csv(tables / f"{name}.csv", index=False)
    (folder / "environment.json").write_text(json.dumps(ENVIRONMENT))
    (folder / "derivations").mkdir()
    (folder / "derivations" / "derivations.tex").write_text("\\subsection{A derivation} One. \\checked{symbolically}\n")
    (folder / "figures" / "mlp_grid").mkdir(parents=True)
    for figure in figures:
        canvas = Figure(figsize=(6.75, 2.4))
        canvas.text(0.5, 0.5, figure)
        canvas.savefig(folder / "figures" / "mlp_grid" / f"{figure}.pdf", metadata={"CreationDate": None})
    return make_config(axes, figures)

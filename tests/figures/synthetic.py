"""Tables as the pipeline writes them, made up: studies of any size, with diverged and stuck cells."""

from dataclasses import asdict
from itertools import product
from math import ceil

import numpy as np
import pandas as pd

from phase2.stats import analyse
from phase2.study.score import Score, card_of_score

DESK = {
    "activation": ["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"],
    "init": ["xavier", "kaiming", "lsuv", "normal_small", "normal_large"],
    "schedule": ["constant", "step", "cosine", "warm_restarts", "one_cycle"],
}
SMOKE = {
    "activation": ["relu", "tanh"],
    "init": ["kaiming", "normal_large"],
    "schedule": ["constant", "cosine"],
}
CHANCE, BASE_LR, STEPS_PER_EPOCH = 0.1, 0.1, 90
SCORE = Score.of(card_of_score("images"), classes=10)
SCORES = pd.DataFrame([asdict(SCORE)])
BASELINE = pd.DataFrame({"model": ["majority", "logistic"], "val_score": [0.1, 0.93], "test_score": [0.1, 0.92]})
BRIER = Score("brier", "Brier score", unit="", better="lower", chance=0.9, loss_unit="")


def learning_rate(schedule: str, progress: np.ndarray) -> np.ndarray:
    """Learning rate at `progress` (0 to 1) of the run."""
    shapes = {
        "step": np.where(progress < 0.5, 1.0, np.where(progress < 0.75, 0.1, 0.01)),
        "cosine": (1 + np.cos(np.pi * progress)) / 2,
        "warm_restarts": (1 + np.cos(np.pi * (progress * 3 % 1))) / 2,
        "one_cycle": np.where(progress < 0.3, 0.04 + 3.2 * progress, np.cos(np.pi * (progress - 0.3) / 1.4) ** 2),
    }
    return BASE_LR * shapes.get(schedule, np.ones_like(progress))


def _fate(spec: dict[str, object], random: np.random.Generator) -> str:
    unbounded = spec.get("activation") not in ("tanh", "sigmoid")
    if spec.get("init") == "normal_large" and unbounded:
        return "diverged" if random.random() < 0.6 else "ok"
    if spec.get("init") == "normal_small" and spec.get("activation") == "sigmoid":
        return "stuck"
    return "stuck" if spec.get("init") == "normal_small" and random.random() < 0.3 else "ok"


def _final(spec: dict[str, object]) -> float:
    cost = {
        "relu": 0,
        "tanh": 0.012,
        "sigmoid": 0.05,
        "kaiming": 0,
        "normal_small": 0.02,
        "normal_large": 0.12,
    }
    cost |= {"constant": 0.015, "cosine": 0, "one_cycle": -0.004}
    return 0.97 - sum(cost.get(str(value), 0.006) for factor, value in spec.items() if factor != "seed")


def runs(grid: dict[str, list], seeds: int = 5, epochs: int = 12) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `cells` and `curves` of every combination of `grid` and seed."""
    cells, curves = [], []
    for number, levels in enumerate(product(*grid.values(), range(seeds))):
        spec = dict(zip([*grid, "seed"], levels, strict=True))
        random = np.random.default_rng(number)
        fate = _fate(spec, random)
        lived = int(random.integers(0, epochs)) if fate == "diverged" else epochs
        final = CHANCE if fate == "stuck" else _final(spec) + 0.006 * random.standard_normal()
        epoch = np.arange(1, lived + 1)
        value = final - (final - CHANCE) * np.exp(-0.6 * epoch) + 0.004 * random.standard_normal(lived)
        cells.append(
            {"id": f"{number:012x}", "study": "grid", **spec}
            | {"status": "diverged" if fate == "diverged" else "ok"}
            | {"diverged_step": lived * STEPS_PER_EPOCH + 7 if fate == "diverged" else np.nan}
            | {"val_accuracy": np.nan if fate == "diverged" else final}
            | {"test_accuracy": np.nan if fate == "diverged" else final - 0.004}
            | {"train_accuracy": np.nan if fate == "diverged" else final + 0.012, "steps": epochs * STEPS_PER_EPOCH}
            | {"curve_area": np.nan if fate == "diverged" else value.mean()}
        )
        rate = learning_rate(str(spec.get("schedule")), epoch / epochs)
        for split, shift in (("train", 0.01), ("val", 0.0)):
            rows = {"epoch": epoch, "step": epoch * STEPS_PER_EPOCH, "split": split, "loss": 1 - value}
            rows |= {"accuracy": value + shift, "lr": rate, "grad_norm": 1.0, "weight_norm": 9.0}
            curves.append(pd.DataFrame({"id": f"{number:012x}", **spec, **rows, "samples_per_second": 5e4}))
    return pd.DataFrame(cells), pd.concat(curves, ignore_index=True)


def derived(cells: pd.DataFrame, curves: pd.DataFrame, factors: list[str], score: Score = SCORE) -> dict:
    """All the tables that figures read, by name, from the runs."""
    step = np.arange(max(int(curves.step.max()), STEPS_PER_EPOCH) if len(curves) else STEPS_PER_EPOCH)
    names = cells.schedule.unique() if "schedule" in cells else ["constant"]
    lines = [
        pd.DataFrame({"schedule": name, "step": step, "lr": learning_rate(name, step / ceil(step[-1]))})
        for name in names
    ]
    known = {"cells": cells, "curves": curves, "schedules": pd.concat(lines, ignore_index=True), "baseline": BASELINE}
    return known | analyse(cells, factors, score)


def tables(grid: dict[str, list], seeds: int = 5, epochs: int = 12) -> dict[str, pd.DataFrame]:
    """All the tables of a full grid."""
    return derived(*runs(grid, seeds, epochs), list(grid))


def all_diverged(grid: dict[str, list], seeds: int = 2) -> dict[str, pd.DataFrame]:
    """All the tables of a grid in which no cell finished its first epoch."""
    cells, curves = runs(grid, seeds)
    lost = dict.fromkeys(("val_accuracy", "test_accuracy", "train_accuracy", "curve_area"), np.nan)
    cells = cells.assign(status="diverged", diverged_step=3.0, **lost)
    return derived(cells, curves.iloc[:0], list(grid))


def judged_by(score: Score, cells: pd.DataFrame, curves: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same runs under another metric, which is what accuracy lacks to the whole."""
    names = {f"{part}accuracy": f"{part}{score.metric}" for part in ("", "val_", "test_", "train_")}
    measured = [name for name in (*names, "curve_area") if name in cells]
    turned = cells.assign(**{name: 1 - cells[name] for name in measured}), curves.assign(accuracy=1 - curves.accuracy)
    return turned[0].rename(columns=names), turned[1].rename(columns=names)

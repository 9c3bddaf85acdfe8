"""What a reader sees instead of a config's names, and the order of the levels. Imports no matplotlib."""

from itertools import product

import pandas as pd

# In the order in which figures and legends show them.
LABELS = {
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "selu": "SELU",
    "gelu": "GELU",
    "gelu_tanh": "GELU (tanh)",
    "gelu_sigmoid": "GELU (sigmoid)",
    "silu": "SiLU",
    "mish": "Mish",
    "softplus": "softplus",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "xavier": "Xavier",
    "kaiming": "Kaiming",
    "orthogonal": "orthogonal",
    "truncated_normal": "truncated normal",
    "lsuv": "LSUV",
    "normal_small": "N(0, 0.01²)",
    "normal_large": "N(0, 1)",
    "none": "none",
    "batch": "BatchNorm",
    "layer": "LayerNorm",
    "rms": "RMSNorm",
    "group": "GroupNorm",
    "mlp": "perceptron",
    "lenet": "LeNet-5",
    "vgg": "VGG",
    "resnet": "ImageNet ResNet",
    "plain": "plain",
    "cifar_resnet": "ResNet",
    "preact_resnet": "pre-activation ResNet",
    "convolutional": "convolutional",
    "locally_connected": "locally connected",
    "dense": "dense",
    "gap": "global average",
    "natural": "natural",
    "crop_flip": "crop and flip",
    "permuted": "permuted",
    "scratch": "scratch",
    "fused": "fused",
    "constant": "constant",
    "step": "step",
    "multi_step": "multi-step",
    "exponential": "exponential",
    "linear": "linear",
    "polynomial": "polynomial",
    "cosine": "cosine",
    "warm_restarts": "warm restarts",
    "equal_restarts": "equal restarts",
    "one_cycle": "one-cycle",
    "one_cycle_momentum": "one-cycle + momentum",
    "linear_warmup": "linear warm-up",
    "cosine_warmup": "cosine warm-up",
    "warmup_cosine": "warm-up + cosine",
    "inverse_sqrt": "inverse square root",
    "warmup_stable_decay": "warm-up-stable-decay",
    "sgd": "SGD",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adam": "Adam",
    "adamw": "AdamW",
    "numpy": "NumPy by hand",
    "tape": "NumPy tape",
    "torch": "torch by hand",
    "autograd": "torch autograd",
    "gradient_descent": "gradient descent",
    "rosenbrock": "Rosenbrock",
    "beale": "Beale",
    "max_probability": "maximum probability",
    "model": "network",
    "init": "initialization",
    "norm": "normalization",
    "lr": "learning rate",
    "weight_decay": "weight decay",
    "clip": "norm limit",
    "clip_value": "entry limit",
    "epochs": "epochs",
    "batch_size": "batch size",
    "test_accuracy": "test accuracy",
    "curve_area": "learning-curve area",
}
NO_LIMIT, LIMITS = "none", ("clip", "clip_value")  # a level, and the factors of which it says that there is no limit
SEPARATOR = " · "  # between the levels of a combination; N(0, 1) has a comma of its own
_ORDER = {name: position for position, name in enumerate(LABELS)}


def label(value: object) -> str:
    """The printed form of a level, a factor or a measure; an unknown name as it is."""
    return f"{value:g}" if isinstance(value, float) else LABELS.get(str(value), _plain(str(value)))


def _plain(text: str) -> str:
    """Text as it is, but for a number that a column of words has spelt out: 1.0 is 1."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def term_label(term: str) -> str:
    """The printed form of a variance term.

    >>> term_label("activation:init")
    'activation × initialization'
    """
    return " × ".join(label(factor) for factor in term.split(":"))


def columns_between(table: pd.DataFrame, first: str, last: str) -> list[str]:
    """The columns after `first` and before `last`: where a table keeps its factors."""
    columns = list(table.columns)
    return columns[columns.index(first) + 1 : columns.index(last)]


def study_factors(cells: pd.DataFrame) -> list[str]:
    """The factors of a `cells` table: its axes without the seed, over which figures average."""
    return [name for name in columns_between(cells, "id", "status") if name not in ("study", "seed")]


def ranking_factors(ranking: pd.DataFrame) -> list[str]:
    """The factors of a `ranking` table."""
    return columns_between(ranking, "rank", "mean")


def _place(level: object) -> tuple[int, float]:
    return _ORDER.get(str(level), len(_ORDER)), 0.0 if _is_word(level) else float(str(level))


def printed(values: pd.Series) -> pd.Series:
    """A factor's levels as ordered categorical labels: known names in their order, numbers by size, others as they
    appear.

    A level that is not a word says whose it is: `depth 4`.
    """
    levels = sorted(values.unique(), key=_place)
    names = {level: label(level) if _is_word(level) else f"{label(values.name)} {label(level)}" for level in levels}
    if str(values.name) in LIMITS and NO_LIMIT in names:
        names[NO_LIMIT] = "no limit"
    return pd.Series(pd.Categorical(values.map(names), list(names.values())), values.index)


def _is_word(level: object) -> bool:
    return isinstance(level, str) and not level.replace(".", "", 1).replace("e-", "", 1).isdigit()


def crossed(table: pd.DataFrame, factors: list[str]) -> pd.Series:
    """The combination of `factors` in each row as one ordered categorical, `""` if there are none."""
    if not factors:
        return pd.Series(pd.Categorical([""] * len(table), [""]), table.index)
    parts = [printed(table[factor]) for factor in factors]
    joined = pd.Series([SEPARATOR.join(row) for row in zip(*parts, strict=True)], table.index, dtype=object)
    possible = (SEPARATOR.join(row) for row in product(*(part.cat.categories for part in parts)))
    seen = set(joined)
    return pd.Series(pd.Categorical(joined, [name for name in possible if name in seen]), table.index)


def faceted(table: pd.DataFrame, factors: list[str]) -> pd.DataFrame:
    """`table` with columns `row`, `column`, `panel`: the first factor, the second, and all others crossed."""
    return table.assign(
        row=crossed(table, factors[:1]),
        column=crossed(table, factors[1:2]),
        panel=crossed(table, factors[2:]),
    )


def facets(table: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """The names of all rows, columns and panels of a faceted table, in order."""
    rows, columns, panels = (list(table[name].cat.categories) for name in ("row", "column", "panel"))
    return rows, columns, panels

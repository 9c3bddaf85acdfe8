"""Numbers that were published, to hold one's own against: what the papers' authors counted and measured."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A row of a paper's table: `parameters` as rounded there; `error`, the test error (a fraction) of the best run;
    where it tells of several `runs`, the errors' `mean` and `std`. What the paper does not say is NaN.
    """

    parameters: float = math.nan
    error: float = math.nan
    runs: int = 1
    mean: float = math.nan
    std: float = math.nan


@dataclass(frozen=True)
class Paper:
    """What a paper measured of an architecture: `results` by depth, `usual_depth` where a configuration names none.

    `conditions` are its settings: what each was, or may have been; one that it does not tell is left out. `scaling` is
    what was done to images beforehand, if not what is done here: channels standardized. `authors` and `key` cite it.
    """

    authors: str
    key: str
    results: dict[int, Published]
    usual_depth: int
    conditions: dict[str, tuple[str | float, ...]]
    scaling: str | None = None


# Table 6 and section 4.2: the paper's own text, two copies of which agree in every number. For 110 layers alone the
# paper says how many runs there were, and gives their spread. The plan of the learning rate was chosen with 45,000
# images; of how many the final networks saw, 45,000 or all 50,000, it does not say. For 110 layers the rate begins at
# 0.01 until the training error is below 80%; 0.1 from the start, it adds, does as well.
HE2016 = Paper(
    authors="He et al.",
    key="he2016",
    results={
        20: Published(0.27e6, 0.0875),
        32: Published(0.46e6, 0.0751),
        44: Published(0.66e6, 0.0717),
        56: Published(0.85e6, 0.0697),
        110: Published(1.7e6, 0.0643, runs=5, mean=0.0661, std=0.0016),
        1202: Published(19.4e6, 0.0793),
    },
    usual_depth=20,
    conditions={
        "data": ("cifar10",),
        "training images": (45_000, 50_000),
        "augmentation": ("crop_flip",),
        "channels of the first stage": (16,),
        "shortcuts": ("A",),
        "normalization": ("batch",),
        "activation": ("relu",),
        "initialization": ("kaiming",),
        "optimizer": ("momentum 0.9",),
        "learning rate": (0.1,),
        "weight decay": (1e-4,),
        "schedule": ("multi_step",),
        "batch size": (128,),
        "iterations": (64_000,),
    },
    scaling="each pixel's mean subtracted",
)
# Table 1, the network without cutout: the mean of five runs of 200 epochs, as the authors' code has it too; the spread
# is as others quote it. Its schedule, a fifth of the rate at 60, 120 and 160 epochs, has no name here.
DEVRIES2017 = Paper(
    authors="DeVries and Taylor",
    key="devries2017",
    results={18: Published(runs=5, mean=0.0472, std=0.0021)},
    usual_depth=18,
    conditions={
        "data": ("cifar10",),
        "training images": (50_000,),
        "augmentation": ("crop_flip",),
        "channels of the first stage": (64,),
        "shortcuts": ("B",),
        "normalization": ("batch",),
        "activation": ("relu",),
        "optimizer": ("nesterov 0.9",),
        "learning rate": (0.1,),
        "weight decay": (5e-4,),
        "schedule": ("a fifth at 30, 60 and 80%",),
        "batch size": (128,),
        "iterations": (78_200,),
    },
)
PAPERS = {"cifar_resnet": HE2016, "resnet": DEVRIES2017}  # by architecture

"""Numbers that were published, to hold one's own against: what the papers' authors counted and measured.

He et al. 2016a ("Deep residual learning"), table 6 and section 4.2: the paper's own text, two copies of which agree in
every number below.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A row of a paper's table: `parameters` as rounded there; `error`, the test error (a fraction), that of the best
    run where there are several, and then their number, `mean` and `std`.
    """

    parameters: float
    error: float
    runs: int | None = None
    mean: float | None = None
    std: float | None = None


# Table 6, by depth; for 110 alone the paper says how many runs there were, five, and gives their spread.
CIFAR_RESNETS: dict[int, Published] = {
    20: Published(0.27e6, 0.0875),
    32: Published(0.46e6, 0.0751),
    44: Published(0.66e6, 0.0717),
    56: Published(0.85e6, 0.0697),
    110: Published(1.7e6, 0.0643, runs=5, mean=0.0661, std=0.0016),
    1202: Published(19.4e6, 0.0793),
}
# Section 4.2: what each setting was, or may have been. The plan of the learning rate was chosen with 45,000 images; of
# how many the final networks saw, 45,000 or all 50,000, the paper does not say. For 110 layers it begins with a rate of
# 0.01 until the training error is below 80%, and adds that 0.1 from the start does as well.
CIFAR_CONDITIONS: dict[str, tuple[str | float, ...]] = {
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
}

"""Fixed, stratified splits: the same samples on every machine, for every seed and with every NumPy."""

import numpy as np

from phase2.errors import UserError

SPLIT_SEED = 20090408  # arbitrary, and never to change: every result would


def split(labels: np.ndarray, validation: int, train: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint, sorted indices `(train,)` and `(validation,)` into samples with `labels` `(n,)`.

    Both are stratified by label. `train=None` takes all that validation leaves; a smaller number takes a
    subset of what a larger one takes. Raises `UserError` if the sizes do not fit.
    """
    n = len(labels)
    rest = n - validation
    wanted = rest if train is None else train
    if validation < 0 or wanted < 1 or wanted > rest:
        raise UserError(
            f"cannot take {wanted} training and {validation} validation samples out of {n}: "
            f"validation must be 0 to {n - 1}, and training 1 to what validation leaves"
        )
    order = stratified_order(labels)
    return np.sort(order[validation : validation + wanted]), np.sort(order[:validation])


def stratified_order(labels: np.ndarray) -> np.ndarray:
    """A fixed shuffle `(n,)` of the samples in which every stretch has the classes in their proportions.

    Sample r of the c in a class (shuffled) stands at (r + 1/2) / c; samples are sorted by that.
    """
    # raw bits, since NumPy keeps those of a bit generator stable and not those of Generator.permutation
    bits = np.random.PCG64(SPLIT_SEED).random_raw(len(labels))
    by_class = np.lexsort((bits, labels))
    _, start, count = np.unique(labels[by_class], return_index=True, return_counts=True)
    rank = np.arange(len(labels)) - np.repeat(start, count)
    return by_class[np.argsort((rank + 0.5) / np.repeat(count, count), kind="stable")]

"""A caption says of how many seeds, images and steps its figure is, and how many runs failed."""

import pandas as pd
import pytest

from phase2.words.sizes import sizes

pytestmark = pytest.mark.quick


def cells(steps, seeds=(0, 1), failed=0):
    status = ["diverged"] * failed + ["ok"] * (len(steps) * len(seeds) - failed)
    rows = [{"seed": seed, "steps": of} for of in steps for seed in seeds]
    return pd.DataFrame(rows).assign(status=status)


@pytest.mark.parametrize(
    ("table", "images", "said"),
    [
        (cells([1000, 1000]), 10_000, "2 seeds, 10,000 training images, 1,000 steps; 0 of 4 runs failed."),
        (cells([3, 96, 1500], failed=2), None, "2 seeds, 96 to 1,500 steps; 2 of 6 runs failed."),
        (cells([1], seeds=(7,)), 1, "1 seed, 1 training image, 1 step; 0 of 1 run failed."),
        (cells([5], failed=2), 60, "2 seeds, 60 training images; 2 of 2 runs failed."),
    ],
)
def test_sizes_are_counted_from_the_cells(table, images, said):
    assert sizes(table, images) == said

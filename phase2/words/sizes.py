"""How large a study is, in the sentence that ends the captions of its figures."""

import pandas as pd

from phase2.study.factors import SEED


def sizes(cells: pd.DataFrame, images: int | None = None) -> str:
    """From the table `cells`: its seeds, optimizer steps and failed runs; `images` are those it trains on, if it does.

    "8 seeds, 10,000 training images, 500 to 1,000 steps; 3 of 240 runs failed."
    """
    failed, steps = (cells["status"] != "ok").sum(), cells.loc[cells["status"] == "ok", "steps"]
    parts = [_counted(cells[SEED].nunique(), "seed")]
    if images is not None:
        parts.append(_counted(images, "training image"))
    if len(steps):
        least = f"{steps.min():,.0f} to " if steps.min() < steps.max() else ""
        parts.append(least + _counted(steps.max(), "step"))
    return f"{', '.join(parts)}; {failed:,} of {_counted(len(cells), 'run')} failed."


def _counted(count: float, noun: str) -> str:
    return f"{count:,.0f} {noun}{'' if count == 1 else 's'}"

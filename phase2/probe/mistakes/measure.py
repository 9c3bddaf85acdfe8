"""Answers of trained networks to the whole test part, class by class, and the images behind the worst of them."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.probe.features import BATCH
from phase2.probe.mistakes.card import Options
from phase2.probe.runs import Run, Runs, task_of
from phase2.study.factors import SEED
from phase2.task.images import Images

CONFUSION = ["seed", "label", "answer", "images"]
MISTAKEN = ["rank", "image", "label", "answer", "confidence", "row", "column", "channel", "value"]


def measure(options: Options, data: Prepared, runs: Runs) -> dict[str, pd.DataFrame]:
    """The networks of a study on all its test images, asked as their test scores are: with its test-time augmentation.

    Table `confusion`, a row for each seed, `label` and `answer`: how many images. Table `mistaken`, a row for each
    pixel of the `options.shown` test images that the networks' mean probabilities are most sure of and wrong about.
    Raises `UserError` for a study with several levels of another axis than seed, and of another task than images.
    """
    several = [name for name, levels in runs.axes.items() if name != SEED and len(levels) > 1]
    if several:
        raise UserError(f"mistakes: several levels of {', '.join(several)} are read: give one of each in its `where`")
    if not runs:
        return {"confusion": pd.DataFrame(columns=CONFUSION), "mistaken": pd.DataFrame(columns=MISTAKEN)}
    test = task_of(runs[0], data).test  # one study, one task
    if not isinstance(test, Images):
        raise UserError("mistakes: the study's task is not images, expected pictures that have classes")
    names = np.array(data.meta["classes"])
    probabilities = [_probabilities(run, data) for run in runs]
    labels = test.labels[test.index]
    confusion = [_confusion(run, each.argmax(1), labels, names) for run, each in zip(runs, probabilities, strict=True)]
    mean = torch.stack(probabilities).mean(0)
    return {
        "confusion": pd.concat(confusion, ignore_index=True),
        "mistaken": _mistaken(mean, test, names, options.shown),
    }


@torch.no_grad()
def _probabilities(run: Run, data: Prepared) -> Tensor:
    """Of every class (images, classes) for all test images."""
    task = task_of(run, data)
    batches = task.test.in_order(BATCH, torch.float32)
    return torch.cat([task.tta(run.model, images).double().softmax(-1) for images, _ in batches])


def _confusion(run: Run, answers: Tensor, labels: Tensor, names: np.ndarray) -> pd.DataFrame:
    classes = len(names)
    counts = torch.bincount(labels * classes + answers, minlength=classes**2)
    pairs = {"label": names.repeat(classes), "answer": np.tile(names, classes)}
    return pd.DataFrame({"seed": run.axes[SEED], **pairs, "images": counts.numpy()})


def _mistaken(p: Tensor, test: Images, names: np.ndarray, shown: int) -> pd.DataFrame:
    """The table `mistaken`, by probabilities `p` (images, classes) for the test part."""
    labels = test.labels[test.index]
    confidence, answers = p.max(1)
    wrong = (answers != labels).nonzero().flatten()
    worst = wrong[confidence[wrong].argsort(descending=True, stable=True)][:shown].tolist()
    tables = []
    for rank, place in enumerate(worst, start=1):
        pixels = test.images[test.index[place]].movedim(0, -1).numpy()  # (rows, columns, channels)
        where = dict(zip(("row", "column", "channel"), np.indices(pixels.shape).reshape(3, -1), strict=True))
        told = {"label": names[labels[place]], "answer": names[answers[place]], "confidence": confidence[place].item()}
        tables.append(pd.DataFrame({"rank": rank, "image": place, **told, **where, "value": pixels.ravel()}))
    return pd.concat(tables, ignore_index=True)[MISTAKEN] if tables else pd.DataFrame(columns=MISTAKEN)

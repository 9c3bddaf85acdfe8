"""What a study's networks have to beat: the commonest class, and logistic regression on the raw pixels."""

import warnings

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from phase2.data.prepared import Prepared
from phase2.study.config import Study
from phase2.task.opening import open_task
from phase2.task.task import Split

COLUMNS = ["model", "penalty", "val_score", "test_score", "train"]
PENALTIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # of the squared weights, beside the mean loss of an image
ITERATIONS = 200  # of L-BFGS; at the penalties that are chosen it has converged before
OF = "images"  # the task whose studies have a baseline

Part = tuple[np.ndarray, np.ndarray]  # inputs (examples, features) and their classes (examples,)


def baseline(study: Study, prepared: Prepared) -> pd.DataFrame:
    """The accuracies of both on the validation and the test part of a study's own data: columns `COLUMNS`, of which
    `train` counts the images. The penalty is the one that does best on the validation part, the largest of several; the
    test part is read for it alone. Empty for a task that is not to tell the classes of images apart.
    """
    if study.task.name != OF:
        return pd.DataFrame(columns=COLUMNS)
    task = open_task(study.task.model_dump() | {"size": None}, prepared, torch.device("cpu"))  # of the raw pixels
    train, val, test = (_whole(part) for part in (task.train, task.val, task.test))
    common = np.bincount(train[1]).argmax()
    majority = (np.nan, np.mean(val[1] == common), np.mean(test[1] == common))
    logistic = majority  # which it is where all images are of one class
    if len(np.unique(train[1])) > 1:
        fits = [(penalty, _fit(train, penalty)) for penalty in sorted(PENALTIES, reverse=True)]
        penalty, best = max(fits, key=lambda fit: fit[1].score(*val))
        logistic = (penalty, best.score(*val), best.score(*test))
    rows = [(name, *scores, len(train[1])) for name, scores in (("majority", majority), ("logistic", logistic))]
    return pd.DataFrame(rows, columns=COLUMNS)


def _whole(part: Split) -> Part:
    inputs, targets = part.batch(torch.arange(len(part)), torch.float32)
    return inputs.flatten(1).numpy(), targets.numpy()


def _fit(train: Part, penalty: float) -> LogisticRegression:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=1 / (2 * penalty * len(train[1])), max_iter=ITERATIONS).fit(*train)

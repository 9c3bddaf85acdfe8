"""What networks have to beat is computed as scikit-learn's users would, on the very images that the study uses."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from studies import study_of
from tiny import write_tiny

from phase2.data.prepared import Prepared, open_prepared
from phase2.data.splits import split
from phase2.run import baseline as module
from phase2.run.baseline import COLUMNS, PENALTIES, baseline

STUDY = study_of()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return open_prepared(write_tiny(tmp_path_factory.mktemp("tiny") / "tiny"))


def by_hand(prepared: Prepared) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The pixels, standardized by those trained on, and the labels of the three parts."""
    labels = prepared.arrays["train_labels"]
    train, val = split(labels, STUDY.task.validation, STUDY.task.train)
    x = {
        part: prepared.arrays["train_images"][rows].reshape(len(rows), -1) / 255
        for part, rows in (("train", train), ("val", val))
    }
    x["test"] = prepared.arrays["test_images"].reshape(len(prepared.arrays["test_labels"]), -1) / 255
    y = {"train": labels[train], "val": labels[val], "test": prepared.arrays["test_labels"]}
    return {part: (v - x["train"].mean()) / x["train"].std() for part, v in x.items()}, y


def test_the_majority_class_is_that_of_the_training_images(prepared: Prepared):
    _, y = by_hand(prepared)
    row = baseline(STUDY, prepared).set_index("model").loc["majority"]
    common = np.bincount(y["train"]).argmax()
    assert (row.val_score, row.test_score) == ((y["val"] == common).mean(), (y["test"] == common).mean())
    assert row.train == len(y["train"])


def test_the_penalty_is_chosen_on_validation_and_the_test_part_read_for_it_alone(prepared: Prepared):
    x, y = by_hand(prepared)
    fits = {
        penalty: LogisticRegression(C=1 / (2 * penalty * len(y["train"])), max_iter=1000).fit(x["train"], y["train"])
        for penalty in PENALTIES
    }
    scores = {penalty: fit.score(x["val"], y["val"]) for penalty, fit in fits.items()}
    row = baseline(STUDY, prepared).set_index("model").loc["logistic"]
    assert row.val_score == max(scores.values()) == scores[row.penalty]
    assert row.test_score == fits[row.penalty].score(x["test"], y["test"])


def test_the_test_part_is_judged_once(prepared: Prepared, monkeypatch: pytest.MonkeyPatch):
    judged: list[int] = []
    score = LogisticRegression.score
    monkeypatch.setattr(LogisticRegression, "score", lambda self, x, y: (judged.append(len(y)), score(self, x, y))[1])
    baseline(STUDY, prepared)
    assert judged.count(len(prepared.arrays["test_labels"])) == 1


def test_of_images_of_one_class_both_say_that_class(prepared: Prepared):
    study = study_of(task={"dataset": "digits", "validation": 40, "train": 1})
    majority, logistic = baseline(study, prepared).itertuples(index=False)
    assert (logistic.val_score, logistic.test_score, logistic.train) == (majority.val_score, majority.test_score, 1)


def test_another_kind_of_task_has_none(prepared: Prepared, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "OF", "sequences")
    table = baseline(STUDY, prepared)
    assert table.empty
    assert list(table) == COLUMNS

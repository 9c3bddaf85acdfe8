"""What networks mistake is counted and kept as it is, on networks whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from finished import finished
from tiny import CLASSES, SIDE, TEST, write_tiny
from torch import nn

from phase2.data.prepared import open_prepared
from phase2.errors import UserError
from phase2.probe.mistakes.measure import CONFUSION, MISTAKEN
from phase2.probe.mistakes.measure import measure as mistakes
from phase2.probe.runs import Run, Runs
from phase2.task.images import open_images

TASK = {"name": "images", "dataset": "tiny", "validation": 50, "train": None, "tta": "none"}
OPTIONS = SimpleNamespace(shown=5)
NAMES = ["left", "right", "below"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_prepared(write_tiny(tmp_path_factory.mktemp("data") / "tiny"))


class Known(nn.Module):
    """Logits of the test images that are given, recognised by their pixels."""

    def __init__(self, data, logits, flipped=None):
        super().__init__()
        test = open_images(data, 50, None, torch.device("cpu")).test
        self.images, _ = test.batch(torch.arange(TEST), torch.float32)
        self.logits, self.flipped = logits, logits if flipped is None else flipped

    def forward(self, x):
        answers = []
        for image in x:
            same = (self.images == image).flatten(1).all(1)
            answers.append(self.logits[same][0] if same.any() else self.flipped[0])
        return torch.stack(answers)


def labels_of(data):
    return torch.from_numpy(np.array(data.arrays["test_labels"]))


def right(data):
    return nn.functional.one_hot(labels_of(data), CLASSES).float() * 4


def measured(data, *logits, **task):
    runs = [Run({"seed": n}, Known(data, each), TASK | task) for n, each in enumerate(logits)]
    return mistakes(OPTIONS, data, finished(*runs))


def test_a_network_that_is_right_makes_no_mistake(data):
    tables = measured(data, right(data))
    wrong = tables["confusion"].query("label != answer")
    assert not wrong["images"].any()
    assert tables["confusion"]["images"].sum() == TEST
    assert tables["mistaken"].empty


def test_every_image_is_counted_where_it_is_and_what_it_is_taken_for(data):
    logits = right(data)
    taken = (labels_of(data) == 0).nonzero().flatten()[:3]
    logits[taken] = torch.tensor([0.0, 0.0, 4.0])
    table = measured(data, logits, right(data))["confusion"]
    row = table.query("seed == 0 and label == 'left' and answer == 'below'")
    assert row["images"].item() == 3
    assert table.groupby(["seed", "label"])["images"].sum().tolist() == [
        int((labels_of(data) == NAMES.index(name)).sum()) for _ in range(2) for name in sorted(NAMES)
    ]


def test_the_surest_mistakes_come_first_with_their_pixels(data):
    logits = right(data)
    places = (labels_of(data) == 1).nonzero().flatten()[:2].tolist()
    logits[places[0]] = torch.tensor([1.0, 0.0, 0.0])
    logits[places[1]] = torch.tensor([0.0, 0.0, 3.0])
    table = measured(data, logits)["mistaken"]
    first, second = (table[table["rank"] == rank] for rank in (1, 2))
    assert [part["image"].iloc[0] for part in (first, second)] == [places[1], places[0]]
    assert first["confidence"].iloc[0] == pytest.approx(np.exp(3) / (np.exp(3) + 2))
    assert (first["label"].iloc[0], first["answer"].iloc[0]) == ("right", "below")
    pixels = first.sort_values(["row", "column"])["value"].to_numpy().reshape(SIDE, SIDE)
    assert (pixels == data.arrays["test_images"][places[1], 0]).all()


def test_the_confidence_is_of_the_mean_probabilities_of_all_networks(data):
    place = 0
    sure, unsure = right(data), right(data)
    wrong = (labels_of(data)[place].item() + 1) % CLASSES
    for logits, height in ((sure, 5.0), (unsure, 1.0)):
        logits[place] = nn.functional.one_hot(torch.tensor(wrong), CLASSES) * height
    table = measured(data, sure, unsure)["mistaken"]
    each = [np.exp(height) / (np.exp(height) + CLASSES - 1) for height in (5.0, 1.0)]
    assert table["confidence"].unique() == pytest.approx([np.mean(each)])


def test_networks_are_asked_as_their_test_scores_are(data):
    away = torch.tensor([[0.0, 0.0, 99.0]])
    runs = finished(Run({"seed": 0}, Known(data, right(data), away), TASK | {"tta": "mirror"}))
    table = mistakes(OPTIONS, data, runs)["confusion"]
    assert table.query("answer == 'below'")["images"].sum() == TEST  # by the mirror images, which it does not know


def test_no_more_images_are_kept_than_asked_for(data):
    table = measured(data, right(data).roll(1, 1))["mistaken"]
    assert table["rank"].max() == OPTIONS.shown
    assert list(table) == MISTAKEN


def test_without_a_network_the_tables_are_empty(data):
    tables = mistakes(OPTIONS, data, Runs([], {"seed": [0]}))
    assert [list(table) for table in tables.values()] == [CONFUSION, MISTAKEN]
    assert all(table.empty for table in tables.values())


def test_a_study_of_several_settings_is_refused(data):
    with pytest.raises(UserError, match="several levels of lr are read: give one of each in its `where`"):
        mistakes(OPTIONS, data, Runs([], {"lr": [0.1, 0.2], "seed": [0]}))

"""Test-time augmentation in a training: it tells the test scores in another way, and changes nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from packs import CPU, LANES, recipe, train

from phase2.data.prepared import Prepared
from phase2.nn import cross_entropy
from phase2.task.images import open_images
from phase2.task.tta.mirror import mirror
from phase2.task.tta.multicrop import multicrop
from phase2.train.lanes import network
from phase2.train.loop import LaneResult

RECIPE = recipe(epochs=2, norm="batch", dropout=0.2)


def trained(prepared: Prepared, work: Path, tta: str, lanes: int = 3) -> list[LaneResult]:
    parts = open_images(prepared, 40, None, CPU, tta=tta)
    return train(RECIPE, LANES[:lanes], parts, work, torch.float64, keep_epochs=[2])


def without_test(scores: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (scores or {}).items() if not name.startswith(("test_", "plain_"))}


@pytest.mark.parametrize("tta", ["mirror", "multicrop"])
def test_all_but_the_test_scores_is_the_same_and_these_are_told_with_and_without(
    tta: str, prepared: Prepared, tmp_path: Path
):
    plain, asked = (trained(prepared, tmp_path / name, name) for name in ("none", tta))
    for one, other in zip(plain, asked, strict=True):
        for name in ("final", "best"):
            assert without_test(getattr(one, name)) == without_test(getattr(other, name))
        assert one.final is not None
        assert other.final is not None
        told = {name.removeprefix("plain_"): value for name, value in other.final.items() if name.startswith("plain_")}
        assert told == {name: value for name, value in one.final.items() if name.startswith("test_")}
        assert other.final["test_loss"] != one.final["test_loss"]
        for key, weights in one.weights.items():
            assert all(torch.equal(value, other.weights[key][name]) for name, value in weights.items())


@pytest.mark.parametrize(("name", "views"), [("mirror", mirror), ("multicrop", multicrop)])
@pytest.mark.parametrize("lanes", [1, 3])
def test_test_scores_are_those_of_the_views_averages(name: str, views, lanes: int, prepared: Prepared, tmp_path: Path):
    results = trained(prepared, tmp_path, name, lanes)
    test = open_images(prepared, 40, None, CPU).test
    images, labels = test.batch(torch.arange(len(test)), torch.float64)
    for result in results:
        model = network(RECIPE, test.shape, 3).double().eval()
        model.load_state_dict(result.weights["epoch=02"])
        with torch.no_grad():
            outputs = views(model, images)
        assert result.final is not None
        assert result.final["test_accuracy"] == (outputs.argmax(1) == labels).double().mean().item()
        assert result.final["test_loss"] == pytest.approx(cross_entropy(outputs, labels).item(), abs=1e-9)

"""Training minimises the loss of smoothed labels; what is judged is that of the labels."""

from pathlib import Path

import pytest
import torch
from packs import CPU, LANES, recipe, train
from studies import study_of
from torch.nn.functional import cross_entropy

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.task.images import open_images
from phase2.task.task import Task
from phase2.train.loop import Training

SMOOTHING = 0.3


@pytest.fixture
def smoothed(prepared: Prepared) -> Task:
    return open_images(prepared, 40, None, CPU, label_smoothing=SMOOTHING)


@pytest.mark.parametrize("lanes", [LANES, LANES[:1]], ids=["pack", "alone"])
def test_gradients_are_those_of_torchs_smoothed_loss(lanes: list, smoothed: Task):
    training = Training(recipe(), lanes, smoothed, CPU, torch.float64)
    inputs, targets = smoothed.train.batch(torch.arange(32), torch.float64)
    norms, losses = [], []
    for n in range(len(lanes)):
        model = training.stack.base
        model.load_state_dict(training.stack.lane(n)[0])
        loss = cross_entropy(model(inputs), targets, label_smoothing=SMOOTHING)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        norms.append(torch.cat([each.flatten() for each in gradients]).norm())
        losses.append(loss.detach() * 32)
    training.step(torch.arange(32))
    torch.testing.assert_close(training.state.norm_sum, torch.stack(norms), rtol=1e-12, atol=0)
    torch.testing.assert_close(training.state.loss_sum, torch.stack(losses), rtol=1e-12, atol=0)


def test_every_part_is_judged_by_the_plain_loss(smoothed: Task, parts: Task, tmp_path: Path):
    (result, *_) = train(recipe(), LANES, smoothed, tmp_path, torch.float64)
    model = Training(recipe(), LANES[:1], parts, CPU, torch.float64).stack.base
    model.load_state_dict(result.weights["best"])
    model.eval()
    with torch.no_grad():
        inputs, targets = parts.test.batch(torch.arange(60), torch.float64)
        assert result.best["test_loss"] == pytest.approx(cross_entropy(model(inputs), targets).item(), rel=1e-10)
    assert result.final["train_loss"] < result.history[-2]["loss"]  # which is of smoothed labels


def test_smoothing_all_of_a_label_away_is_refused():
    with pytest.raises(UserError, match="label_smoothing"):
        study_of(task={"dataset": "digits", "validation": 40, "label_smoothing": 1.0})

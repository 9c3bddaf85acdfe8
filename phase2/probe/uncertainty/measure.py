"""What a network with dropout knows of its own ignorance, when it is used rightly, wrongly, and as a sample.

Entropies are in nats. Of a test image, with probabilities p_s under mask s of S and their mean p̄,

    H[p̄] = mean_s H[p_s] + I:   predictive entropy = expected entropy + mutual information,

what is unsure, what every mask is unsure of (noise in the data), and what the masks disagree on (the model's own
doubt). Gal & Ghahramani 2016; Houlsby et al. 2011, equation 2.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy.stats import rankdata
from torch import Tensor

from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.nn.dropout import Dropout, Dropout2d, predict_mc
from phase2.probe.images import spread
from phase2.probe.runs import Run, Runs, task_of
from phase2.probe.uncertainty.card import UNFAMILIAR, Options
from phase2.task.images import Images
from phase2.task.seeding import drawing

BINS = 15  # of equal width over the confidences from 0 to 1
LEAST = 2.0**-149  # the least float32: what a Monte-Carlo probability of 0 counts as
FAMILIAR = "0"  # kind of input: test images as they are
DETECTION = ["seed", "kind", "score", "auroc"]
INFERENCE = ["dropout", "seed", "method", "accuracy", "nll", "brier", "ece", "mean_confidence"]
SHIFT = ["seed", "kind", "accuracy", "predictive_entropy", "expected_entropy", "mutual_information"]


@torch.no_grad()
def measure(options: Options, data: Prepared, runs: Runs, unfamiliar: Prepared) -> dict[str, pd.DataFrame]:
    """Networks with and without dropout on at most `options.images` test images, evenly spread over the test part.

    Table `inference`, a row for each dropout rate, seed and `method`: accuracy; nll, the mean of -log p(label) in
    nats; brier, the mean of Σ (p - onehot)², from 0 to 2; ece and mean_confidence (`reliability`). Methods, the same
    without dropout: `deterministic`, no masks, which is right since kept units were scaled by 1/(1-p) in training;
    `unscaled`, as if they had not been: no masks, and hidden units too large by 1/(1-p) (see there); `monte_carlo`,
    the mean of softmax over `options.samples` masks. Table `calibration`: the same rows by bin of confidence.

    Table `shift`, at the rate `options.dropout`, of Monte-Carlo dropout, a row for each seed and `kind` of input (the
    degrees by which test images are turned, 0 always among them, or `unfamiliar`): accuracy, NaN if unfamiliar, and
    means over images of predictive_entropy, expected_entropy, mutual_information.
    Table `detection`, the same networks: for `unfamiliar` and the largest angle, auroc of each `score` against test
    images as they are, so that scores are compared by seed. Of the network without masks max_probability and entropy;
    of Monte-Carlo dropout mc_max_probability, predictive_entropy, expected_entropy, mutual_information.

    Masks derive from a run's seed, and are the same for every kind of input. Raises `UserError` for a study with other
    axes than dropout and seed, of another task than images, or a rate that is not a level of it above 0.
    """
    _check(options, runs)
    labels, kinds = _inputs(options, data, runs, unfamiliar) if runs else (torch.empty(0), {})
    largest = f"{max(options.angles, key=abs, default=0):g}"
    at_rate = [run for run in runs if run.axes["dropout"] == options.dropout]
    inference, calibration = _by_method(runs, kinds, labels, options.samples)
    shift, detection = _by_kind(at_rate, kinds, labels, options.samples, (UNFAMILIAR, largest))
    return {"inference": inference, "calibration": calibration, "shift": shift, "detection": detection}


def _check(options: Options, runs: Runs) -> None:
    if set(runs.axes) != {"dropout", "seed"}:
        raise UserError(f"uncertainty: the study's axes are {', '.join(runs.axes)}, expected dropout and seed alone")
    levels = sorted(set(runs.axes["dropout"]) - {0})
    if options.dropout not in levels:
        raise UserError(f"uncertainty: dropout={options.dropout}, expected a level above 0 of the study, of {levels}")


def _by_method(
    runs: Sequence[Run], kinds: dict[str, Tensor], labels: Tensor, samples: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `inference` and `calibration`."""
    inference, calibration = [], []
    for run, (method, predict) in product(runs, METHODS.items()):
        names = {"dropout": float(run.axes["dropout"]), "seed": run.axes["seed"], "method": method}
        log_p = predict(run, kinds[FAMILIAR], samples)
        bins = reliability(log_p, labels)
        inference.append(names | _scores(log_p, labels, bins))
        calibration += bins.assign(**names).to_dict("records")
    bins_of = ["dropout", "method", "seed", "bin", "confidence", "accuracy", "count"]
    return pd.DataFrame(inference, columns=INFERENCE), pd.DataFrame(calibration, columns=bins_of)


def _by_kind(
    runs: Sequence[Run], kinds: dict[str, Tensor], labels: Tensor, samples: int, detected: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `shift` and `detection`, the latter for the kinds `detected`."""
    shift, detection = [], []
    for run in runs:
        seed, doubts = run.axes["seed"], {}
        for kind, x in kinds.items():
            p = _sampled(run, x, samples)
            entropies = decomposed(p)
            right = np.nan if kind == UNFAMILIAR else _accuracy(p.mean(0), labels)
            means = {name: values.mean().item() for name, values in entropies.items()}
            shift.append({"seed": seed, "kind": kind, "accuracy": right} | means)
            doubts[kind] = _doubts(p, deterministic(run, x).exp())
        for kind, score in product(detected, doubts[FAMILIAR]):
            area = auroc(doubts[kind][score], doubts[FAMILIAR][score])
            detection.append({"seed": seed, "kind": kind, "score": score, "auroc": area})
    return pd.DataFrame(shift, columns=SHIFT), pd.DataFrame(detection, columns=DETECTION)


def _doubts(sampled: Tensor, plain: Tensor) -> dict[str, Tensor]:
    """By score how strange each input looks (batch,): of probabilities (samples, batch, classes), (batch, classes)."""
    without = {"max_probability": -plain.amax(-1), "entropy": torch.special.entr(plain).sum(-1)}
    return without | {"mc_max_probability": -sampled.mean(0).amax(-1)} | decomposed(sampled)


def deterministic(run: Run, x: Tensor, samples: int = 1) -> Tensor:
    """Log-probabilities (batch, classes) without masks."""
    return run.model(x).double().log_softmax(-1)


def unscaled(run: Run, x: Tensor, samples: int = 1) -> Tensor:
    """Log-probabilities without masks, every layer of dropout multiplying by 1/(1-p).

    This is the classic formulation with its last step forgotten. There, training drops units and scales none, its
    weights W' = W/(1-p) compute in training what ours do, and at inference units h are multiplied by 1-p, which
    gives W'(1-p)h = Wh. Forgotten, it is W'h = W h/(1-p). Srivastava et al. 2014, section 4.
    """
    layers = [layer for layer in run.model.modules() if isinstance(layer, Dropout | Dropout2d)]
    hooks = [layer.register_forward_hook(lambda layer, _, h: h / (1 - layer.p)) for layer in layers]
    try:
        return deterministic(run, x)
    finally:
        for hook in hooks:
            hook.remove()


def monte_carlo(run: Run, x: Tensor, samples: int) -> Tensor:
    """Log of the mean probabilities over masks."""
    return _sampled(run, x, samples).mean(0).clamp_min(LEAST).log()


METHODS: dict[str, Callable[[Run, Tensor, int], Tensor]] = {
    "deterministic": deterministic,
    "unscaled": unscaled,
    "monte_carlo": monte_carlo,
}


def _sampled(run: Run, x: Tensor, samples: int) -> Tensor:
    """Probabilities (samples, batch, classes); one sample without dropout, where all are equal."""
    if run.axes["dropout"] == 0:
        return deterministic(run, x).exp().unsqueeze(0)
    with drawing(run.axes["seed"], "dropout"):
        return predict_mc(run.model, x, samples).double()


def reliability(log_p: Tensor, labels: Tensor) -> pd.DataFrame:
    """Images by confidence, the largest probability: a row a bin, (bin-1)/15 < confidence <= bin/15.

    Columns: bin, mean `confidence` and `accuracy` (NaN in an empty bin), count. The expected calibration error is
    Σ count |accuracy - confidence| / Σ count. Guo et al. 2017, equations 2 and 3. Shapes: `log_p` (batch, classes),
    `labels` (batch,).
    """
    log_confidence, predicted = log_p.max(-1)
    confidence = log_confidence.exp()
    # bucketize gives the first edge that is not below; rounding may carry a mean of probabilities above 1
    bins = torch.bucketize(confidence, torch.linspace(0, 1, BINS + 1, dtype=confidence.dtype)).clamp(1, BINS)
    images = pd.DataFrame({"bin": bins, "confidence": confidence, "accuracy": (predicted == labels).double()})
    groups = images.groupby("bin")
    table = groups.mean().assign(count=groups.size()).reindex(pd.RangeIndex(1, BINS + 1, name="bin"))
    return table.fillna({"count": 0}).astype({"count": int}).reset_index()


def expected_calibration_error(bins: pd.DataFrame) -> float:
    """Of a table of `reliability`."""
    return float(((bins.accuracy - bins.confidence).abs() * bins["count"]).sum() / bins["count"].sum())


def _scores(log_p: Tensor, labels: Tensor, bins: pd.DataFrame) -> dict[str, float]:
    p, truth = log_p.exp(), F.one_hot(labels, log_p.shape[-1])
    return {
        "accuracy": _accuracy(p, labels),
        "nll": -log_p.gather(-1, labels.unsqueeze(-1)).mean().item(),
        "brier": (p - truth).square().sum(-1).mean().item(),
        "ece": expected_calibration_error(bins),
        "mean_confidence": p.amax(-1).mean().item(),
    }


def _accuracy(p: Tensor, labels: Tensor) -> float:
    return (p.argmax(-1) == labels).double().mean().item()


def decomposed(p: Tensor) -> dict[str, Tensor]:
    """Predictive and expected entropy and mutual information, (batch,) each, of `p` (samples, batch, classes)."""
    predictive = torch.special.entr(p.mean(0)).sum(-1)
    expected = torch.special.entr(p).sum(-1).mean(0)
    return {
        "predictive_entropy": predictive,
        "expected_entropy": expected,
        "mutual_information": predictive - expected,
    }


def auroc(positive: Tensor, negative: Tensor) -> float:
    """How often a value of `positive` (n,) is above one of `negative` (m,), ties as half: by ranks (Mann-Whitney)."""
    n, m = len(positive), len(negative)
    ranks = rankdata(torch.cat([positive, negative]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (n * m))


def rotated(images: Tensor, angle: float) -> Tensor:
    """Images (batch, channels, height, width) turned counter-clockwise by `angle` degrees, with 0 where none was."""
    *_, height, width = images.shape
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    # in coordinates from -1 to 1 in each direction, so that only pixels' own are turned as they are
    theta = torch.tensor([[cos, -sin * height / width, 0], [sin * width / height, cos, 0]], dtype=images.dtype)
    grid = F.affine_grid(theta.expand(len(images), -1, -1), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def resized(images: Tensor, shape: Sequence[int]) -> Tensor:
    """Images (batch, *) with `shape` (channels, height, width): bilinear, each channel the mean if numbers differ."""
    channels, *size = shape
    if images.shape[1] != channels:
        images = images.mean(1, keepdim=True).expand(-1, channels, -1, -1)
    return F.interpolate(images, size, mode="bilinear", align_corners=False)


def _inputs(options: Options, data: Prepared, runs: Runs, unfamiliar: Prepared) -> tuple[Tensor, dict[str, Tensor]]:
    """Labels of test images, and what the networks see by kind: the images, turned, and the other data's in the place
    of test images.
    """
    test = task_of(runs[0], data).test  # one study, one task
    if not isinstance(test, Images):
        raise UserError("uncertainty: the study's task is not images, expected pictures, which can be turned")
    rows = test.index[spread(options.images, len(test))]
    images, others = test.images[rows].float(), torch.from_numpy(unfamiliar.arrays["test_images"])
    others = resized(others[spread(options.images, len(others))].float(), test.shape)
    turned = {f"{angle:g}": rotated(images, angle) for angle in options.angles if angle != 0}
    kinds = {FAMILIAR: images} | turned | {UNFAMILIAR: others}
    return test.labels[rows], {kind: _seen(x, test) for kind, x in kinds.items()}


def _seen(images: Tensor, test: Images) -> Tensor:
    """Raw images, from 0 to 255, as networks of the task see its test images: standardized, pixels in its order."""
    instead = replace(test, images=images, labels=torch.zeros(len(images)), index=torch.arange(len(images)))
    return instead.batch(instead.index, torch.float32)[0].clone()

"""The sentences on the feature hierarchy: the right numbers, and other sentences for other results."""

import numpy as np
import pandas as pd
import pytest
from said import SEEDS, rows, said

from phase2.report.measured_words import NOTHING, TOO_FEW

TRAINED = {"lenet": [0.80, 0.83, 0.85], "vgg": [0.80, 0.84, 0.82, 0.81]}  # accuracy by layer, 0 the pixels
RANDOM = {"lenet": [0.80, 0.82, 0.70], "vgg": [0.80, 0.79, 0.78, 0.77]}


def probes(trained=TRAINED, random=RANDOM, seeds=SEEDS) -> pd.DataFrame:
    values = [
        (model, seed, when, layer, layer / (len(accuracies) - 1), 100, accuracy)
        for when, networks in (("start", random), ("end", trained))
        for model, accuracies in networks.items()
        for seed in seeds
        for layer, accuracy in enumerate(accuracies)
    ]
    return rows(["model", "seed", "when", "layer", "position", "dimension", "accuracy"], *values)


def filters(networks=(("lenet", 6, 5), ("vgg", 16, 3))) -> pd.DataFrame:
    values = [(model, 0, n, 0, size - 1, size - 1, 0.1) for model, count, size in networks for n in (1, count)]
    return rows(["model", "seed", "filter", "channel", "row", "column", "value"], *values)


def exciting(gains=(("lenet", 1, 1.5), ("lenet", 2, 3.0), ("vgg", 1, 2.0), ("vgg", 4, 1.9), ("vgg", 8, 4.0))):
    values = [
        (model, 0, layer, 1, kind, excitation, 0, 0, pixel, 0.5)
        for model, layer, gain in gains
        for kind, excitation in (("test", 2.0), ("ascent", 2.0 * gain))
        for pixel in (0, 1)
    ]
    columns = ["model", "seed", "layer", "unit", "kind", "excitation", "channel", "row", "column", "value"]
    return rows(columns, *values)


def tables(**changed) -> dict[str, pd.DataFrame]:
    return {"filters": filters(), "exciting": exciting(), "linear_probes": probes()} | changed


def found(**changed) -> str:
    return said("feature_hierarchy", tables(**changed))[1]


def test_what_was_measured_names_the_networks_the_classifier_and_the_ascent():
    measured = said("feature_hierarchy", tables())[0]
    assert r"6 networks of the study \texttt{architectures}" in measured
    assert (
        "one-hot labels of 1,000 training images, some of them held out to choose the penalty, judged on 500 test"
        in measured
    )
    assert "as make at most 512 features" in measured
    assert "80 steps of gradient ascent" in measured


def test_filters_are_counted_with_their_size():
    text = found()
    assert r"has 6 filters of $5\times5$ pixels in LeNet-5 and 16 filters of $3\times3$ pixels in VGG." in text


def test_the_gain_of_ascent_is_told_at_both_ends_and_where_it_is_larger():
    text = found()
    assert "$1.5$ to $2.0$ times as strongly as the best test image in the first layer of maps" in text
    assert "and $3.0$ to $4.0$ times in the last; in every network that is more in the last layer" in text
    assert "a local maximum" not in text


@pytest.mark.parametrize(
    ("last", "verdict"),
    [((1.2, 1.1), "in no network is that more"), ((1.2, 3.0), "in 1 of 2 networks that is more")],
)
def test_a_gain_that_does_not_grow_is_told_so(last, verdict):
    gains = [("lenet", 1, 1.5), ("lenet", 2, last[0]), ("vgg", 1, 2.0), ("vgg", 8, last[1])]
    assert verdict in found(exciting=exciting(gains))


def test_an_ascent_that_ends_below_the_best_test_image_is_told():
    text = found(exciting=exciting([("lenet", 1, 0.5), ("lenet", 2, 3.0), ("vgg", 1, 2.0)]))
    assert "For 1 of 3 units ascent ends below the best test image" in text


def test_units_that_do_not_vary_have_no_gain():
    assert "No unit varies" in found(exciting=exciting().assign(excitation=np.nan))


def test_the_best_layers_and_what_training_adds_are_told():
    text = found()
    assert r"From the pixels themselves the linear classifier gets 80.0\% of the test images right." in text
    assert r"Before training it gets most right from layer 1 of 2 in LeNet-5 with ($82.00 \pm 0.00$)\%" in text
    assert r"and the pixels in VGG with ($80.00 \pm 0.00$)\%; the last layer gives no more than the pixels" in text
    assert "After training it gets most right from layer 2 of 2 in LeNet-5" in text
    assert "and layer 1 of 3 in VGG with" in text
    assert "the last layer gives more than the pixels in every network." in text
    assert r"by $15.00 \pm 0.00$ points in LeNet-5 and $4.00 \pm 0.00$ points in VGG, up in every seed" in text


def test_training_that_ruins_the_features_is_told():
    text = found(linear_probes=probes(RANDOM, TRAINED))
    assert "After training it gets most right from layer 1 of 2 in LeNet-5" in text
    assert r"by $-15.00 \pm 0.00$ points in LeNet-5" in text
    assert "down in every seed of every network." in text


def test_networks_that_do_not_agree_are_counted():
    text = found(linear_probes=probes(TRAINED | {"vgg": [0.80, 0.79, 0.76, 0.75]}))
    assert "the last layer gives more than the pixels in 1 of 2 networks." in text
    assert "it rises in 3 of 6 trainings." in text


def test_a_study_without_other_axes_and_one_seed_is_described():
    networks = {"linear_probes": probes({"": TRAINED["lenet"]}, {"": RANDOM["lenet"]}, seeds=[0])}
    networks |= {"filters": filters([("", 6, 5)]), "exciting": exciting([("", 1, 1.5), ("", 2, 3.0)])}
    text = found(**{name: table.drop(columns="model") for name, table in networks.items()})
    assert r"The first layer has 6 filters of $5\times5$ pixels." in text
    assert r"gets most right from layer 2 of 2 with $85.00$\%; the last layer gives more than the pixels." in text
    assert "changes the accuracy by $15.00$ points." in text
    assert text.endswith(TOO_FEW)


def test_accuracies_without_a_number_say_nothing():
    assert found(linear_probes=probes().assign(accuracy=np.nan)) == NOTHING

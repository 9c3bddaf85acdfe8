"""Confusions with their numbers, and the images of the surest mistakes."""

import numpy as np
import pandas as pd
import pytest
from test_figures import check_every_text_is_inside_and_readable

from phase2.probe.mistakes.confusion import confusion
from phase2.probe.mistakes.mistaken_images import mistaken_images

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def made_up(classes=CLASSES, shown=24, channels=3, seeds=2, side=8):
    rng = np.random.default_rng(0)
    counts = pd.MultiIndex.from_product([range(seeds), classes, classes], names=["seed", "label", "answer"])
    table = counts.to_frame(index=False)
    table["images"] = np.where(table["label"] == table["answer"], 900.0, rng.integers(0, 30, len(table)))
    pixels = ["row", "column", "channel"]
    places = pd.MultiIndex.from_product([range(side), range(side), range(channels)], names=pixels).to_frame(index=False)
    images = [
        places.assign(
            rank=rank,
            image=100 + rank,
            label=classes[rank % len(classes)],
            answer=classes[(rank + 3) % len(classes)],
            confidence=0.999 - rank / 100,
            value=rng.integers(0, 256, len(places)),
        )
        for rank in range(1, shown + 1)
    ]
    return {"confusion": table, "mistaken": pd.concat(images)}


@pytest.mark.parametrize("channels", [1, 3])
def test_fit_the_page_without_clipped_text(channels):
    tables = made_up(channels=channels)
    check_every_text_is_inside_and_readable(confusion(confusion=tables["confusion"]))
    check_every_text_is_inside_and_readable(mistaken_images(**tables))


def test_the_matrix_has_each_share_in_its_place():
    counts = pd.DataFrame(
        {"seed": 0, "label": ["a", "a", "b", "b"], "answer": ["a", "b", "a", "b"], "images": [3.0, 1.0, 0.0, 8.0]}
    )
    axes = confusion(confusion=counts).axes[0]
    told = {(text.get_position()): text.get_text() for text in axes.texts}
    assert told == {(0, 0): "75.0", (1, 0): "25.0", (1, 1): "100.0"}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_the_images_stand_in_their_order_with_what_they_are_taken_for():
    figure = mistaken_images(**made_up(shown=9))
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown[:2]] == ["automobile", "bird"]
    assert shown[0].texts[0].get_text() == "deer\n99%"
    assert len(shown) == 9


def test_without_a_mistake_the_figure_says_so():
    tables = made_up()
    figure = mistaken_images(confusion=tables["confusion"], mistaken=tables["mistaken"].iloc[:0])
    assert [text.get_text() for text in figure.texts] == ["every test image is told right"]

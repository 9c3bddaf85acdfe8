"""The images that networks are wrong about and most sure of."""

import pandas as pd
from matplotlib.figure import Figure

from phase2.card import FigureCard
from phase2.figures.style import blank, nothing_without, sentence, styled

CARD = FigureCard(
    ("confusion", "mistaken"),
    "The test images that the networks are wrong about and most sure of, the surest first: above each its class, "
    "below it what they take it for and with which probability, mean over seeds.",
)

COLUMNS = 8
ROW = 1.4  # inches


@styled
@nothing_without("confusion", "images")
def mistaken_images(*, confusion: pd.DataFrame, mistaken: pd.DataFrame) -> Figure:
    """Rows of eight images with their two classes; of `confusion` it is known whether anything was measured."""
    if mistaken.empty:
        return sentence("every test image is told right")
    images = [image for _, image in mistaken.groupby("rank")]
    rows = -(-len(images) // COLUMNS)
    figure = blank(ROW * rows)
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
    for axes in panels:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, image in zip(panels, images, strict=False):
        shape = [int(image[name].max()) + 1 for name in ("row", "column", "channel")]
        pixels = image.sort_values(["row", "column", "channel"])["value"].to_numpy(int).reshape(shape)
        axes.imshow(pixels if shape[2] == 3 else pixels[..., 0], cmap="gray", vmin=0, vmax=255)
        one = image.iloc[0]
        axes.set_title(str(one["label"]), weight="normal", fontsize=7.5, pad=2)
        told = f"{one['answer']}\n{100 * one['confidence']:.0f}%"
        axes.text(0.5, -0.04, told, ha="center", va="top", fontsize=7.5, transform=axes.transAxes)
    return figure

"""scikit-learn's handwritten digits."""

from pathlib import Path

import numpy as np

from phase2.card import Card
from phase2.data.images import write_images
from phase2.data.origin import Source
from phase2.data.splits import split

CARD = Card(
    "dataset",
    "prepare_digits",
    label="digits",
    definition="scikit-learn's handwritten digits",
    cites="pedregosa2011",
    order=1,
    traits={"holds": "images"},
)

SOURCE = Source(
    files=(),
    origin="8x8 handwritten digits (UCI Optical Recognition, test part), bundled with scikit-learn",
    licence="CC BY 4.0",
    citation="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998",
)


def prepare_digits(raw: Path, out: Path) -> None:
    """scikit-learn's 1,797 digits (1x8x8); a fixed stratified fifth is the test part. `raw` is not read.

    >>> from tempfile import TemporaryDirectory
    >>> from phase2.data.prepared import open_prepared
    >>> with TemporaryDirectory() as folder:
    ...     prepare_digits(Path(folder), Path(folder))
    ...     open_prepared(Path(folder)).arrays["train_images"].shape
    (1438, 1, 8, 8)
    """
    from sklearn.datasets import load_digits  # here: it takes a second to import, and the others do without

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = digits.target
    train, test = split(labels, round(len(labels) / 5))
    write_images(
        out,
        SOURCE,
        "digits",
        [str(d) for d in range(10)],
        (images[train], labels[train]),
        (images[test], labels[test]),
    )

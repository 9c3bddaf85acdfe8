"""Text as token ids: one token a character."""

from pathlib import Path

import numpy as np

from phase2.card import Card
from phase2.data.origin import DataFile, Source
from phase2.data.prepared import write
from phase2.errors import UserError

CARD = Card(
    "dataset",
    "prepare_tinyshakespeare",
    label="Tiny Shakespeare",
    definition="the works of Shakespeare, a selection",
    order=5,
    traits={"holds": "text"},
)

SOURCE = Source(
    files=(
        DataFile(
            "input.txt",
            "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            urls=("https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",),
        ),
    ),
    origin="Tiny Shakespeare, 1.1 MB of the plays, GitHub karpathy/char-rnn",
    licence="the text is in the public domain",
    citation="A. Karpathy, The Unreasonable Effectiveness of Recurrent Neural Networks, 2015",
)


def prepare_tinyshakespeare(raw: Path, out: Path) -> None:
    """Turns `raw/input.txt` into `train_tokens` (n,) and `test_tokens` (m,), uint8, in the folder `out`.

    The last tenth of the text is the test part. Token i is the character `meta["vocabulary"][i]`; the
    vocabulary is that of the whole text, as is usual for this corpus. Raises `UserError` if the text is
    missing or has more than 256 distinct characters.
    """
    try:
        text = (raw / "input.txt").read_bytes().decode()
    except FileNotFoundError as error:
        raise UserError(f"{raw / 'input.txt'} does not exist: download the dataset first") from error
    vocabulary = sorted(set(text))
    if len(vocabulary) > 256:
        raise UserError(f"{raw / 'input.txt'} has {len(vocabulary)} distinct characters: expected 256 at most")
    ids = {character: token for token, character in enumerate(vocabulary)}
    tokens = np.array([ids[character] for character in text], dtype=np.uint8)
    cut = len(tokens) * 9 // 10
    write(
        out,
        {"train_tokens": tokens[:cut], "test_tokens": tokens[cut:]},
        {
            "dataset": "tinyshakespeare",
            "vocabulary": vocabulary,
            "origin": SOURCE.origin,
        },
    )

from pathlib import Path

import pytest

from phase2.data.prepared import open_prepared
from phase2.data.sets.tinyshakespeare import prepare_tinyshakespeare
from phase2.errors import UserError


def test_tokens_spell_the_text_and_the_last_tenth_is_held_out(tmp_path: Path):
    text = "First Citizen:\nBefore we proceed, hear me speak.\r\n" * 7 + "!"
    (tmp_path / "input.txt").write_bytes(text.encode())
    prepare_tinyshakespeare(tmp_path, tmp_path / "out")
    prepared = open_prepared(tmp_path / "out")
    train, test = prepared.arrays["train_tokens"], prepared.arrays["test_tokens"]
    assert len(train) == len(text) * 9 // 10
    assert "".join(prepared.meta["vocabulary"][token] for token in [*train, *test]) == text
    assert prepared.meta["vocabulary"] == sorted(set(text))
    assert {train.dtype.str, test.dtype.str} == {"|u1"}


def test_a_missing_text_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"input\.txt does not exist: download the dataset first"):
        prepare_tinyshakespeare(tmp_path, tmp_path / "out")


def test_a_text_with_too_many_characters_is_refused(tmp_path: Path):
    (tmp_path / "input.txt").write_text("".join(map(chr, range(0x4E00, 0x4E00 + 257))), encoding="utf-8")
    with pytest.raises(UserError, match="257 distinct characters: expected 256 at most"):
        prepare_tinyshakespeare(tmp_path, tmp_path / "out")

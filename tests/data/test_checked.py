"""Prepared data is checked byte by byte before anything is computed with it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from phase2.checksums import REMEMBERED
from phase2.data.checked import open_checked
from phase2.data.prepared import open_prepared, write
from phase2.errors import UserError

IMAGES = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)


@pytest.fixture(params=[True, False], ids=["remembering", "reading"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    if request.param:
        REMEMBERED.parent.mkdir()
    write(tmp_path / "digits", {"train_images": IMAGES}, {"mean": [0.5], "origin": "here"})
    open_checked(tmp_path / "digits")
    return tmp_path / "digits"


def test_an_array_overwritten_by_one_of_equal_size_is_refused(folder: Path):
    path = folder / "train_images.npy"
    before = path.stat()
    np.save(path, IMAGES + 1)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as `cp -p` leaves it
    open_prepared(folder)
    with pytest.raises(UserError, match=r"train_images\.npy is spoilt \(expected sha256 \w{64}, found \w{64}"):
        open_checked(folder)


def test_edited_meta_data_are_refused(folder: Path):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta | {"mean": [0.4]}))
    with pytest.raises(UserError, match=r"meta\.json is spoilt"):
        open_checked(folder)


def test_other_statistics_are_other_data_and_another_origin_is_not(folder: Path, tmp_path: Path):
    def hash_of(**meta: object) -> str:
        write(tmp_path / "other", {"train_images": IMAGES}, {"mean": [0.5], "origin": "here"} | meta)
        return open_checked(tmp_path / "other").hash

    assert hash_of(origin="there") == open_checked(folder).hash != hash_of(mean=[0.4])

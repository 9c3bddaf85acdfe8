import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from phase2.data.checked import open_checked
from phase2.data.prepared import open_prepared, write
from phase2.errors import UserError

IMAGES = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
ARRAYS = {"train_images": IMAGES, "train_labels": np.array([7, 1])}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "digits", ARRAYS, {"dataset": "digits"})
    return tmp_path / "digits"


@settings(deadline=None, max_examples=40)
@given(array=arrays(st.sampled_from([np.uint8, np.int64, np.float32]), array_shapes(min_side=1, max_side=4)))
def test_arrays_come_back_as_they_went(array: np.ndarray, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("any")
    write(folder, {"values": array.T}, {})
    values = open_prepared(folder).arrays["values"]
    assert values.dtype == array.dtype
    np.testing.assert_array_equal(values, array.T)
    open_checked(folder)


def test_meta_keeps_what_was_given_and_describes_the_arrays(folder: Path):
    meta = open_prepared(folder).meta
    assert meta["dataset"] == "digits"
    assert meta["arrays"]["train_images"]["shape"] == [2, 3, 4, 4]
    assert meta["arrays"]["train_labels"]["dtype"] == "<i8"


def test_the_hash_depends_on_contents_names_and_shapes_and_not_on_the_origin(folder: Path, tmp_path: Path):
    def hash_of(arrays: dict[str, np.ndarray]) -> str:
        write(tmp_path / "other", arrays, {"dataset": "digits", "origin": "elsewhere"})
        return open_prepared(tmp_path / "other").hash

    assert hash_of(dict(reversed(ARRAYS.items()))) == open_prepared(folder).hash
    changed = (
        ARRAYS | {"train_labels": np.array([7, 2])},
        ARRAYS | {"train_images": IMAGES.reshape(2, 3, 2, 8)},
        {"images": IMAGES, "train_labels": ARRAYS["train_labels"]},
    )
    assert len({open_prepared(folder).hash, *map(hash_of, changed)}) == 4


def test_torch_takes_the_arrays_without_a_warning_and_cannot_change_the_disk(folder: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = torch.from_numpy(open_prepared(folder).arrays["train_images"])
    tensor.zero_()
    open_checked(folder)
    assert open_prepared(folder).arrays["train_images"].any()


def test_opening_a_gigabyte_takes_milliseconds_and_reads_none_of_it(tmp_path: Path):
    shape = (1 << 30,)
    (tmp_path / "meta.json").write_text(
        json.dumps({"arrays": {"big": {"dtype": "|u1", "shape": shape, "sha256": ""}}, "hash": ""})
    )
    np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.uint8, shape)  # sparse: it takes no disk
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        prepared = open_prepared(tmp_path)
        seconds.append(time.perf_counter() - start)
    assert prepared.arrays["big"].nbytes == 1 << 30
    assert min(seconds) < 0.05


def test_a_folder_without_meta_is_not_prepared_data(folder: Path):
    (folder / "meta.json").unlink()
    with pytest.raises(UserError, match=r"digits holds no prepared data .*prepare the dataset first"):
        open_prepared(folder)


@pytest.mark.parametrize("change", [-1, 1, -96, -150])
def test_an_array_of_another_size_is_named_on_opening(change: int, folder: Path):
    os.truncate(folder / "train_images.npy", (folder / "train_images.npy").stat().st_size + change)
    with pytest.raises(UserError, match=r"train_images\.npy is spoilt .*run the same command again"):
        open_prepared(folder)


def test_another_array_under_the_name_is_named_on_opening(folder: Path):
    np.save(folder / "train_images.npy", IMAGES.astype(np.int8))
    with pytest.raises(UserError, match=r"expected \|u1 \[2, 3, 4, 4\], found \|i1 \[2, 3, 4, 4\]"):
        open_prepared(folder)


def test_a_missing_array_and_a_damaged_meta_are_named_on_opening(folder: Path):
    (folder / "train_labels.npy").unlink()
    with pytest.raises(UserError, match=r"train_labels\.npy is spoilt"):
        open_prepared(folder)
    (folder / "meta.json").write_text("{")
    with pytest.raises(UserError, match=r"meta\.json is spoilt"):
        open_prepared(folder)


def test_a_full_disk_while_preparing_again_leaves_nothing_that_opens(folder: Path, full_disk: Callable):
    with full_disk(300), pytest.raises(UserError, match=r"cannot write in .*/digits: File too large"):
        write(folder, ARRAYS | {"train_images": np.ones(1000)}, {})
    assert sorted(os.listdir(folder)) == ["train_images.npy", "train_labels.npy"]
    with pytest.raises(UserError, match="holds no prepared data"):
        open_prepared(folder)

"""Data sets of the user's own: arrays, images by class, tables; and what is said of each that is wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from phase2.data.checked import open_checked
from phase2.data.own import prepare
from phase2.data.prepared import Prepared
from phase2.errors import UserError
from phase2.task.images import open_images

rng = np.random.default_rng(0)
IMAGES, LABELS = rng.integers(0, 256, (40, 3, 5, 4), dtype=np.uint8), np.arange(40) % 4


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    return tmp_path / "mine"


def prepared(raw: Path) -> Prepared:
    prepare(raw, raw.parent / "prepared")
    return open_checked(raw.parent / "prepared")


def write_arrays(raw: Path, **arrays: np.ndarray) -> None:
    for name, values in arrays.items():
        np.save(raw / f"{name}.npy", values)


def write_images(raw: Path, size: tuple[int, int] = (4, 5)) -> None:
    for index in range(10):
        for kind in ("cat", "dog"):
            (raw / kind).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, (index, 20, 30 if kind == "cat" else 40)).save(raw / kind / f"{index}.png")


def write_table(raw: Path, rows: int = 20, name: str = "flowers") -> None:
    lines = [f"{n},{n * 0.5},{'red' if n % 2 else 'blue'}" for n in range(rows)]
    (raw / f"{name}.csv").write_text("\n".join(["width,height,label", *lines]) + "\n")


def test_arrays_with_a_test_part_are_taken_as_they_are(raw: Path):
    write_arrays(
        raw, train_images=IMAGES[:30], train_labels=LABELS[:30], test_images=IMAGES[30:], test_labels=LABELS[30:]
    )
    data = prepared(raw)
    np.testing.assert_array_equal(data.arrays["train_images"], IMAGES[:30])
    np.testing.assert_array_equal(data.arrays["test_labels"], LABELS[30:])
    assert data.meta["classes"] == ["0", "1", "2", "3"]


def test_without_a_test_part_a_stratified_fifth_is_held_out(raw: Path):
    np.savez(raw / "all.npz", images=IMAGES, labels=LABELS)
    data = prepared(raw)
    assert (len(data.arrays["train_images"]), len(data.arrays["test_images"])) == (32, 8)
    assert np.bincount(data.arrays["test_labels"]).tolist() == [2, 2, 2, 2]


def test_numbers_are_standardized_as_bytes_are(raw: Path):
    values = rng.normal(5, 3, (50, 2))
    write_arrays(raw, images=values, labels=np.arange(50) % 2)
    data = prepared(raw)
    train = data.arrays["train_images"]
    assert train.shape == (40, 2, 1, 1)
    assert train.dtype == np.float32
    task = open_images(data, validation=4, train=36, device=torch.device("cpu"))
    scaled, _ = task.train.batch(torch.arange(36), torch.float64)
    np.testing.assert_allclose(scaled.mean((0, 2, 3)), torch.zeros(2), atol=1e-5)
    np.testing.assert_allclose(scaled.std((0, 2, 3), correction=0), torch.ones(2), rtol=1e-5)


def test_images_by_class_folder(raw: Path):
    write_images(raw / "train")
    write_images(raw / "test")
    data = prepared(raw)
    assert data.arrays["train_images"].shape == (20, 3, 5, 4)
    assert data.meta["classes"] == ["cat", "dog"]
    assert data.arrays["train_images"][3, :, 0, 0].tolist() == [3, 20, 30]


def test_a_table_has_its_columns_as_channels(raw: Path):
    write_table(raw)
    data = prepared(raw)
    assert data.arrays["train_images"].shape == (16, 2, 1, 1)
    assert data.meta["classes"] == ["blue", "red"]


def two_tables(raw: Path, head: str) -> None:
    """A training and a test part, the second with this head over height, width and label."""
    write_table(raw, name="train")
    rows = "".join(f"{n * 0.5},{n},{'red' if n % 2 else 'blue'}\n" for n in range(10))
    (raw / "test.csv").write_text(f"{head}\n{rows}")


def test_columns_are_matched_by_name(raw: Path):
    two_tables(raw, "height,width,label")
    arrays = prepared(raw).arrays
    np.testing.assert_array_equal(arrays["test_images"], arrays["train_images"][:10])


def images_and_a_table(raw: Path) -> None:
    write_images(raw)
    write_table(raw)


def a_part_of_another_name(raw: Path) -> None:
    write_table(raw, name="train")
    write_table(raw, name="testing")


def broken_image(raw: Path) -> None:
    write_images(raw)
    (raw / "dog" / "3.png").write_bytes(b"no image")


def unequal_sizes(raw: Path) -> None:
    write_images(raw)
    Image.new("RGB", (9, 9)).save(raw / "dog" / "x.png")


def missing_label(raw: Path) -> None:
    write_table(raw)
    with open(raw / "flowers.csv", "a") as file:
        file.write("1,2,\n")


def a_word_among_numbers(raw: Path) -> None:
    write_table(raw)
    with open(raw / "flowers.csv", "a") as file:
        file.write("1,big,red\n")


def with_a_mark(raw: Path) -> None:
    """As spreadsheets save CSV: UTF-8 with a byte order mark."""
    write_table(raw)
    (raw / "flowers.csv").write_bytes(b"\xef\xbb\xbf" + (raw / "flowers.csv").read_bytes())


def sixteen_bits(raw: Path) -> None:
    write_images(raw)
    Image.new("I;16", (4, 5)).save(raw / "dog" / "x.png")


def too_many_fields(raw: Path) -> None:
    write_table(raw)
    with open(raw / "flowers.csv", "a") as file:
        file.write("1,2,red,3\n")


def half_an_archive(raw: Path) -> None:
    np.savez(raw / "all.npz", images=IMAGES, labels=LABELS)
    (raw / "all.npz").write_bytes((raw / "all.npz").read_bytes()[:-100])


def test_a_table_of_a_spreadsheet_is_read(raw: Path):
    with_a_mark(raw)
    assert prepared(raw).arrays["train_images"].shape == (16, 2, 1, 1)


@pytest.mark.parametrize("constant", [np.full((40, 1, 3, 3), 77, np.uint8), np.full((40, 1, 3, 3), 0.1)])
def test_a_constant_channel_is_divided_by_one(constant: np.ndarray, raw: Path):
    write_arrays(raw, images=constant, labels=LABELS)
    task = open_images(prepared(raw), validation=4, train=None, device=torch.device("cpu"))
    inputs, _ = task.train.batch(torch.arange(8), torch.float64)
    assert inputs.abs().max() < 1e-6


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "a broken image": (broken_image, r"dog/3\.png cannot be read as an image .*: mend or remove it"),
    "unequal shapes": (
        unequal_sizes,
        r"dog/x\.png has shape \(3, 9, 9\), the first image \(3, 5, 4\): bring all to one",
    ),
    "a missing label": (missing_label, r"flowers\.csv, line 22: the label is missing: fill it in, or remove the line"),
    "a word": (a_word_among_numbers, r"flowers\.csv, line 22: expected a number in each column, and a label"),
    "too many fields": (too_many_fields, r"flowers\.csv, line 22: expected a number in each column"),
    "16 bits": (sixteen_bits, r"dog/x\.png has more than 8 bits a channel: save it with 8, or give arrays"),
    "other columns": (
        lambda raw: two_tables(raw, "height,depth,label"),
        r"test\.csv has the columns height, depth: expected width, height, each once",
    ),
    "a column twice": (
        lambda raw: (raw / "a.csv").write_text("a,a,label\n1,2,x\n") and None,
        r"a\.csv has the columns a, a: expected a, a, each once",
    ),
    "images and a table": (
        images_and_a_table,
        "holds several of arrays, CSV files and folders of images: keep one kind",
    ),
    "a part of another name": (
        a_part_of_another_name,
        "holds testing, train: name the parts train and test, or leave one alone",
    ),
    "half an archive": (half_an_archive, r"all\.npz cannot be read as NumPy's arrays .*: write it again with np\.save"),
    "Latin-1": (
        lambda raw: (raw / "a.csv").write_bytes("a,label\n1,b\xe9b\xe9\n".encode("latin-1")) and None,
        r"a\.csv cannot be read as CSV in UTF-8 .*: write it again",
    ),
    "test images alone": (
        lambda raw: write_arrays(raw, images=IMAGES, labels=LABELS, test_images=IMAGES, test_labels=LABELS),
        "has test_images and no train_images: rename images and labels train_images, train_labels",
    ),
    "no column": (
        lambda raw: (raw / "a.csv").write_text("a,b\n1,2\n") and None,
        r"a\.csv: expected a column label and",
    ),
    "one class": (
        lambda raw: write_arrays(raw, images=IMAGES, labels=np.zeros(40, int)),
        "all samples are of one class, 0: expected two or more",
    ),
    "too few labels": (
        lambda raw: write_arrays(raw, images=IMAGES, labels=LABELS[:9]),
        r"images of shape \(40, 3, 5, 4\), labels of \(9,\): expected \(n, channels",
    ),
    "channels last": (
        lambda raw: write_arrays(raw, images=IMAGES.transpose(0, 2, 3, 1), labels=LABELS),
        r"have channels last: use images\.transpose\(0, 3, 1, 2\)",
    ),
    "not finite": (
        lambda raw: write_arrays(raw, images=np.full((40, 2), np.nan), labels=LABELS),
        "expected finite numbers, found float64",
    ),
    "no labels": (lambda raw: write_arrays(raw, images=IMAGES), r"has no array labels \(there are images\)"),
    "no array": (lambda raw: (raw / "images.npy").write_bytes(b"x") and None, r"images\.npy cannot be read as NumPy"),
    "another class in the test part": (
        lambda raw: write_arrays(
            raw, train_images=IMAGES, train_labels=LABELS, test_images=IMAGES, test_labels=LABELS + 1
        ),
        "the class 4 is in the test part alone",
    ),
    "nothing": (lambda raw: None, "holds no data: expected arrays, folders of images by class, or CSV files"),
    "an empty class": (lambda raw: (raw / "cat").mkdir(), "cat holds no image: add some, or remove the folder"),
    "no folder": (lambda raw: raw.rmdir(), "mine is not a folder: expected arrays"),
}


@pytest.mark.parametrize(("make", "fault"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_with_what_to_do(make: Callable[[Path], None], fault: str, raw: Path):
    make(raw)
    with pytest.raises(UserError, match=fault):
        prepared(raw)

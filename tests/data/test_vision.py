import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dataset_formats import Labelled, flat_jpegs, jpeg, python2_pickle, random_images, tar_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits

from phase2.data.checked import open_checked
from phase2.data.prepared import Prepared
from phase2.data.sets.cifar10 import CIFAR10_CLASSES, prepare_cifar10
from phase2.data.sets.cifar10_jpeg import prepare_cifar10_jpeg
from phase2.data.sets.digits import prepare_digits
from phase2.data.sets.fashion_mnist import prepare_fashion_mnist
from phase2.data.statistics import channel_statistics
from phase2.errors import UserError


def prepared_by(prepare: Callable[[Path, Path], None], raw: Path) -> Prepared:
    prepare(raw, raw / "out")
    return open_checked(raw / "out")


def assert_holds(prepared: Prepared, train: Labelled, test: Labelled) -> None:
    for part, data in (("train", train), ("test", test)):
        images, labels = prepared.arrays[f"{part}_images"], prepared.arrays[f"{part}_labels"]
        np.testing.assert_array_equal(images, data.images)
        np.testing.assert_array_equal(labels, data.labels)
        assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
    meta = prepared.meta
    assert (meta["channels"], meta["height"], meta["width"]) == train.images.shape[1:]
    assert len(meta["classes"]) == 10


def test_digits_are_all_there_scaled_to_bytes_with_a_stratified_fifth_held_out(tmp_path: Path):
    prepared = prepared_by(prepare_digits, tmp_path)
    images = np.concatenate([prepared.arrays["train_images"], prepared.arrays["test_images"]])
    digits = load_digits()
    assert images.shape == (1797, 1, 8, 8)
    bytes_of = np.rint(digits.images * 255 / 16).astype(np.uint8)
    assert sorted(image.tobytes() for image in images) == sorted(image.tobytes() for image in bytes_of)
    held_out = np.bincount(prepared.arrays["test_labels"])
    assert held_out.sum() == 359
    assert all(abs(held_out - np.bincount(digits.target) / 5) <= 1)


def test_digits_keep_images_and_labels_together(tmp_path: Path):
    prepared = prepared_by(prepare_digits, tmp_path)
    digits = load_digits()
    label_of = {
        np.rint(image * 255 / 16).astype(np.uint8).tobytes(): label
        for image, label in zip(digits.images, digits.target, strict=True)
    }
    for part in ("train", "test"):
        images = prepared.arrays[f"{part}_images"]
        assert [label_of[image.tobytes()] for image in images] == prepared.arrays[f"{part}_labels"].tolist()


def test_fashion_mnist_is_read_in_order(tmp_path: Path, fashion):
    contents, train, test = fashion
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert_holds(prepared_by(prepare_fashion_mnist, tmp_path), train, test)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\x08", b"\0\0\x0d\1\0\0\0\0", b"\0\0\x08\1\0\0\0\2x", b"\0\0\x08\3\0\0\0\1", b"\0\0\x08\0x"],
)
def test_what_is_no_idx_file_is_named(content: bytes, tmp_path: Path):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\.gz is not an idx file"):
        prepare_fashion_mnist(tmp_path, tmp_path / "out")


def test_cifar10_is_read_in_the_order_of_its_batches(tmp_path: Path, cifar10):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(cifar10[0])
    assert_holds(prepared_by(prepare_cifar10, tmp_path), *cifar10[1:])


class Exploit:
    def __reduce__(self):
        return open, ("exploited", "w")


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (Exploit(), r"it asks for (io|_io)\.open"),
        ({"labels": [1]}, "b'data'"),
        ({"data": np.zeros((2, 3072)), "labels": [1, 2]}, r"found float64 \(2, 3072\)"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, r"expected uint8 \(1, 3072\)"),
    ],
)
def test_a_batch_that_is_no_batch_is_refused_and_runs_nothing(
    batch: object, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    files = {"cifar-10-batches-py/data_batch_1": python2_pickle(batch)}
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(tar_of(files, "w:gz"))
    with pytest.raises(UserError, match=rf"data_batch_1.*{reason}"):
        prepare_cifar10(tmp_path, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-python.tar.gz"]


def test_jpegs_come_by_class_then_number_whatever_the_order_of_the_archive(write_jpeg_tar: Callable):
    prepared = prepared_by(prepare_cifar10_jpeg, write_jpeg_tar(flat_jpegs(train=2, test=1)))
    greys = [20 * k + 5 * i for k in range(10) for i in range(2)]
    train = np.broadcast_to(np.reshape(greys, (20, 1, 1, 1)), (20, 3, 32, 32))
    test = np.broadcast_to(np.reshape(greys[::2], (10, 1, 1, 1)), (10, 3, 32, 32))
    assert_holds(prepared, Labelled(train, np.repeat(np.arange(10), 2)), Labelled(test, np.arange(10)))
    assert prepared.meta["classes"] == list(CIFAR10_CLASSES)
    assert "not CIFAR-10" in prepared.meta["origin"]


@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("train/cat/0000.jpg", b"no image", r"train/cat/0000\.jpg cannot be decoded"),
        ("train/cat/0000.jpg", jpeg(np.zeros((32, 32, 3), np.uint8))[:-80], "cannot be decoded"),
        ("train/cat/0000.jpg", jpeg(np.zeros((30, 28, 3), np.uint8)), r"is 28x30: expected 32x32"),
        ("test/ship/0000.jpg", None, r"no images in test/ship"),
    ],
)
def test_a_broken_jpeg_archive_is_named(member: str, content: bytes | None, reason: str, write_jpeg_tar: Callable):
    files = flat_jpegs(train=1, test=1)
    del files[member]
    if content is not None:
        files[member] = content
    raw = write_jpeg_tar(files)
    with pytest.raises(UserError, match=rf"cifar10-jpeg\.tar\.xz.*{reason}"):
        prepare_cifar10_jpeg(raw, raw / "out")
    assert not (raw / "out").exists()


@settings(deadline=None)
@given(arrays(np.uint8, st.tuples(*[st.integers(1, 4)] * 4)))
def test_channel_statistics_are_those_of_the_scaled_images(images: np.ndarray):
    mean, std = channel_statistics(images)
    np.testing.assert_allclose(mean, (images / 255).mean((0, 2, 3)), atol=1e-12)
    spread = (images / 255).std((0, 2, 3))
    constant = images.min((0, 2, 3)) == images.max((0, 2, 3))  # divided by 1, not by 0
    np.testing.assert_allclose(std, np.where(constant, 1.0, spread), atol=1e-12)


def test_channel_statistics_tell_channels_apart():
    images = random_images(10, 3, 4, 4).images
    images[:, 1] //= 2
    mean, _ = channel_statistics(images)
    assert mean[1] < min(mean[0], mean[2])

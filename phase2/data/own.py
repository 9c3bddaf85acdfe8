"""Data sets of the user's own: a folder of arrays, of images by class, or of CSV files, as `data.sets` names it.

    arrays   train_images.npy, train_labels.npy, test_images.npy, test_labels.npy, or one .npz with these names
    images   train/<class>/*.png, test/<class>/*.png (or .jpg, .bmp ...), all of one size
    table    train.csv, test.csv with a column `label`; all other columns are numbers

Without a test part (`images`, `labels`; `<class>/*.png`; one .csv) a fixed stratified fifth is the test part. Images
are (n, channels, height, width), (n, height, width) or rows of features (n, features); a table's columns are channels
of one place. Labels are whole numbers or words. Every wrong file is named with what to do.
"""

import csv
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from phase2 import registry
from phase2.card import Card
from phase2.checksums import Checksums
from phase2.data.images import write_images
from phase2.data.origin import Source
from phase2.data.splits import split
from phase2.errors import UserError
from phase2.registry import Part
from phase2.tex import escape

SOURCE = Source(files=(), origin="a folder of the user's", licence="the user's", citation="none")
TEST_SHARE = 5  # one sample in so many is for testing, where no test part is given
LABEL = "label"  # the column of a table that has the classes


def part_of(name: str, folder: Path) -> Part:
    """The data set of a folder as a part that a configuration may name."""
    card = Card(
        "dataset", "prepare", name, rf"\texttt{{{escape(name)}}}", traits={"holds": "images", "folder": str(folder)}
    )
    return Part(name, card, {}, __name__, folder)


def content_of(dataset: str) -> str | None:
    """The checksum of the folder that a data set of the user's is made from; None of any other data set."""
    folder = registry.part("dataset", dataset).card.traits.get("folder")
    return _content(Path(folder)) if folder else None


@cache
def _content(folder: Path) -> str | None:
    checksums = Checksums()
    content = checksums.of(folder)
    checksums.remember()
    return content


def forget() -> None:
    """Looks at the folders again when they are asked for."""
    _content.cache_clear()


def prepare(raw: Path, out: Path) -> None:
    """Turns the user's folder `raw` into prepared data in `out`; raises `UserError` naming the file that is wrong."""
    if not raw.is_dir():
        raise UserError(f"data.sets: {raw} is not a folder: expected arrays, folders of images by class, or CSV files")
    parts = dict(_read(raw))
    (train, train_labels), test = parts["train"], parts.get("test")
    classes = sorted(set(train_labels), key=_in_order)
    if len(classes) < 2:
        raise UserError(f"{raw}: all samples are of one class, {classes[0]}: expected two or more to tell apart")
    labelled = train, _indices(raw, train_labels, classes)
    if test is None:
        rest, held = split(labelled[1], round(len(train) / TEST_SHARE))
        labelled, others = (train[rest], labelled[1][rest]), (train[held], labelled[1][held])
    else:
        others = test[0], _indices(raw, test[1], classes)
        if test[0].shape[1:] != train.shape[1:]:
            raise UserError(f"{raw}: the test part has shape {test[0].shape[1:]}, the training part {train.shape[1:]}")
    write_images(out, SOURCE, out.name, [str(name) for name in classes], labelled, others)


Named = tuple[np.ndarray, list[str]]  # images (n, channels, height, width) and the names of their classes


def _read(raw: Path) -> Iterator[tuple[str, Named]]:
    """The parts there are, by name: train, and maybe test."""
    arrays, tables = sorted(raw.glob("*.np[yz]")), sorted(raw.glob("*.csv"))
    folders = [path for path in sorted(raw.iterdir()) if path.is_dir()]
    if sum(map(bool, (arrays, tables, folders))) > 1:
        raise UserError(f"{raw} holds several of arrays, CSV files and folders of images: keep one kind")
    if arrays:
        yield from _read_arrays(raw, arrays)
    elif tables:
        columns = None
        for name, path in _parts_among(raw, {path.stem: path for path in tables}):
            columns, table = _read_table(path, columns)
            yield name, table
    else:
        named = {path.name: path for path in folders}
        for name, path in _parts_among(raw, named if "train" in named else {"all": raw}):
            yield name, _read_images(path)


def _parts_among(raw: Path, found: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    if len(found) == 1:
        yield "train", next(iter(found.values()))
    elif found.keys() == {"train", "test"}:
        yield from (("train", found["train"]), ("test", found["test"]))
    else:
        raise UserError(f"{raw} holds {', '.join(found)}: name the parts train and test, or leave one alone")


def _read_arrays(raw: Path, files: list[Path]) -> Iterator[tuple[str, Named]]:
    arrays: dict[str, np.ndarray] = {}
    for path in files:
        try:
            with open(path, "rb") as file:  # NumPy leaves a file open that it cannot read
                loaded = np.load(file, allow_pickle=False)
                arrays |= {path.stem: loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(f"{path} cannot be read as NumPy's arrays ({error}): write it again with np.save") from None
    if "test_images" in arrays and "train_images" not in arrays:
        raise UserError(
            f"{raw} has test_images and no train_images: rename images and labels train_images, train_labels"
        )
    prefixes = {"train": "train_", "test": "test_"} if "train_images" in arrays else {"train": ""}
    for part, prefix in prefixes.items():
        if part == "test" and "test_images" not in arrays:
            return
        for name in ("images", "labels"):
            if prefix + name not in arrays:
                there = ", ".join(arrays)
                raise UserError(f"{raw} has no array {prefix}{name} (there are {there}): expected images and labels")
        yield part, _named(raw, arrays[f"{prefix}images"], arrays[f"{prefix}labels"])


def _named(raw: Path, images: np.ndarray, labels: np.ndarray) -> Named:
    """Arrays in the shape that training takes, and their classes' names."""
    shapes = {2: (*images.shape, 1, 1), 3: (len(images), 1, *images.shape[1:]), 4: images.shape}
    if images.ndim not in shapes or labels.shape != (len(images),) or not len(images):
        raise UserError(
            f"{raw}: images of shape {images.shape}, labels of {labels.shape}: expected (n, channels, height, width), "
            "(n, height, width) or (n, features), and a label for each"
        )
    if images.ndim == 4 and images.shape[3] in (1, 3) and images.shape[1] not in (1, 3):
        raise UserError(f"{raw}: images of shape {images.shape} have channels last: use images.transpose(0, 3, 1, 2)")
    return _numbers(raw, images).reshape(shapes[images.ndim]), [str(label) for label in labels.tolist()]


def _numbers(place: Path, values: np.ndarray) -> np.ndarray:
    """uint8 as it is, other numbers as float32; raises `UserError` for what is no finite number."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "biuf" or not np.isfinite(numbers := values.astype(np.float32)).all():
        raise UserError(f"{place}: expected finite numbers, found {values.dtype} with others among them")
    return numbers


def _read_table(path: Path, columns: list[str] | None) -> tuple[list[str], Named]:
    """A table's columns besides the label, and what is in it; the columns are those of the part before, if there was
    one.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            return _read_rows(path, csv.DictReader(file), columns)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} cannot be read as CSV in UTF-8 ({error}): write it again") from None


def _read_rows(path: Path, rows: csv.DictReader, columns: list[str] | None) -> tuple[list[str], Named]:
    found = [name for name in rows.fieldnames or [] if name != LABEL]
    if LABEL not in (rows.fieldnames or []) or not found:
        raise UserError(f"{path}: expected a column {LABEL} and columns of numbers, found {rows.fieldnames}")
    columns = columns or found
    if sorted(found) != sorted(columns) or len(set(found)) < len(found):
        raise UserError(f"{path} has the columns {', '.join(found)}: expected {', '.join(columns)}, each once")
    values, labels = [], []
    for row in rows:
        if not row[LABEL]:
            raise UserError(f"{path}, line {rows.line_num}: the label is missing: fill it in, or remove the line")
        numbers = [_number(row[name]) for name in columns]
        if None in row or None in numbers:  # DictReader puts what is too much under None
            raise UserError(f"{path}, line {rows.line_num}: expected a number in each column, and a label")
        values.append(numbers)
        labels.append(row[LABEL])
    return columns, _named(path, np.array(values).reshape(-1, len(columns)), np.array(labels))


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _read_images(folder: Path) -> Named:
    images: list[np.ndarray] = []
    labels: list[str] = []
    for kind in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = [path for path in sorted(kind.iterdir()) if path.is_file() and not path.name.startswith(".")]
        if not files:
            raise UserError(f"{kind} holds no image: add some, or remove the folder")
        for path in files:
            images.append(_image(path, images[0].shape if images else None))
            labels.append(kind.name)
    if not images:
        raise UserError(f"{folder} holds no data: expected arrays, folders of images by class, or CSV files")
    return np.stack(images), labels


def _image(path: Path, shape: tuple[int, ...] | None) -> np.ndarray:
    """An image as uint8 (channels, height, width): grey has one channel, all others three."""
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                raise UserError(f"{path} has more than 8 bits a channel: save it with 8, or give arrays of numbers")
            grey = image.mode in ("1", "L", "LA")
            values = np.asarray(image.convert("L" if grey else "RGB"))
    except (UnidentifiedImageError, OSError) as error:
        raise UserError(f"{path} cannot be read as an image ({error}): mend or remove it") from None
    values = values[None] if grey else values.transpose(2, 0, 1)
    if shape is not None and values.shape != shape:
        raise UserError(f"{path} has shape {values.shape}, the first image {shape}: bring all to one size and mode")
    return values


def _indices(raw: Path, labels: list[str], classes: list[str]) -> np.ndarray:
    known = {name: index for index, name in enumerate(classes)}
    if strange := [name for name in labels if name not in known]:
        raise UserError(f"{raw}: the class {strange[0]} is in the test part alone: a network cannot learn it")
    return np.array([known[name] for name in labels], dtype=np.int64)


def _in_order(name: str) -> tuple[float, str]:
    """Classes that are numbers by size, before words."""
    return (float(name), "") if name.lstrip("-").isdecimal() else (np.inf, name)

"""Prepared data on disk: plain .npy arrays and a meta.json, opened in milliseconds by memory-mapping.

    <prepared>/<dataset>/train_images.npy, train_labels.npy, ..., meta.json

`meta.json` is written last, so a folder that has one is complete. Imports no torch.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from phase2.data.disk import writing_in
from phase2.errors import UserError
from phase2.files import atomic_path, canonical_json, sha256_text, write_json


@dataclass(frozen=True)
class Prepared:
    """Arrays by name, memory-mapped copy-on-write (what is written never reaches the disk), and meta data."""

    folder: Path
    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 over names, types, shapes and contents of all arrays: the data's identity."""
        return self.meta["hash"]


def write(folder: Path, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Writes `arrays` and `meta`, to which it adds `arrays` (dtype, shape, sha256 of each) and `hash`.

    Raises `UserError` if the folder cannot be written; what it then holds does not open as prepared data.
    """
    with writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "meta.json").unlink(missing_ok=True)  # from here on the folder is incomplete
        for name, array in arrays.items():
            with atomic_path(folder / f"{name}.npy") as temporary:
                _save(temporary, np.ascontiguousarray(array))
        described = {name: _describe(array) for name, array in arrays.items()}
        content = meta | {"arrays": described, "hash": sha256_text(canonical_json(described))}
        write_json(folder / "meta.json", content)


def open_prepared(folder: Path) -> Prepared:
    """Opens prepared data without reading the arrays: only headers, and file sizes against them.

    Raises `UserError` if the folder is not prepared data, or an array is missing, truncated or another one.
    """
    meta = _read_meta(folder)
    return Prepared(folder, {name: _map(folder, name, meta) for name in meta["arrays"]}, meta)


def check(folder: Path) -> None:
    """Reads every array and compares its SHA-256; raises `UserError` naming the first one that differs."""
    prepared = open_prepared(folder)
    for name, array in prepared.arrays.items():
        expected, found = prepared.meta["arrays"][name]["sha256"], _sha256(array)
        if found != expected:
            raise _spoilt(folder / f"{name}.npy", f"expected sha256 {expected}, found {found}")


def _save(path: Path, array: np.ndarray) -> None:
    """`np.save`, which on a full disk tells how many bytes it wrote in place of the system's reason."""
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)


def _describe(array: np.ndarray) -> dict[str, Any]:
    return {"dtype": array.dtype.str, "shape": list(array.shape), "sha256": _sha256(array)}


def _sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def _read_meta(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{folder} holds no prepared data (no meta.json): prepare the dataset first") from error
    except json.JSONDecodeError as error:
        raise _spoilt(folder / "meta.json", str(error)) from error


def _map(folder: Path, name: str, meta: dict[str, Any]) -> np.ndarray:
    """One array, memory-mapped; copy-on-write, since torch warns about arrays that are read-only."""
    path, expected = folder / f"{name}.npy", meta["arrays"][name]
    try:
        array = np.load(path, mmap_mode="c")
    except (OSError, ValueError, EOFError) as error:
        raise _spoilt(path, str(error)) from error
    if [array.dtype.str, list(array.shape)] != [expected["dtype"], expected["shape"]]:
        found = f"{array.dtype.str} {list(array.shape)}"
        raise _spoilt(path, f"expected {expected['dtype']} {expected['shape']}, found {found}")
    size = array.offset + array.nbytes
    if path.stat().st_size != size:
        raise _spoilt(path, f"expected {size:,} bytes, found {path.stat().st_size:,}")
    return array


def _spoilt(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is spoilt ({reason}): delete {path.parent} and prepare the dataset again")

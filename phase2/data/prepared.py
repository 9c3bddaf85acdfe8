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
from phase2.files import atomic_path, canonical_json, sha256_file, sha256_text, write_json


@dataclass(frozen=True)
class Prepared:
    """Arrays by name, memory-mapped copy-on-write (what is written never reaches the disk), and meta data."""

    folder: Path
    arrays: dict[str, np.ndarray]
    meta: dict[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 over all arrays (name, type, shape, content) and their meta data: the data's identity."""
        return self.meta["hash"]


def write(folder: Path, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Writes `arrays` and `meta`, adding `arrays` (dtype, shape, sha256 of each), `files` (sha256) and `hash`.

    Raises `UserError` if the folder cannot be written; what it then holds does not open as prepared data.
    """
    with writing_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "meta.json").unlink(missing_ok=True)  # from here on the folder is incomplete
        for name, array in arrays.items():
            with atomic_path(folder / f"{name}.npy") as temporary:
                _save(temporary, np.ascontiguousarray(array))
        content = meta | {"arrays": {name: _describe(array) for name, array in arrays.items()}}
        files = {f"{name}.npy": sha256_file(folder / f"{name}.npy") for name in arrays}
        write_json(folder / "meta.json", content | {"files": files, "hash": content_hash(content)})


def open_prepared(folder: Path) -> Prepared:
    """Opens prepared data without reading the arrays: only headers, and file sizes against them. What computes with the
    data opens it by `phase2.data.checked`.

    Raises `UserError` if the folder is not prepared data, or an array is missing, truncated or another one.
    """
    meta = _read_meta(folder)
    return Prepared(folder, {name: _map(folder, name, meta) for name in meta["arrays"]}, meta)


def content_hash(meta: dict[str, Any]) -> str:
    """The hash of all that a training sees: the arrays, and the statistics and names that stand beside them."""
    told = {name: value for name, value in meta.items() if name not in ("hash", "files", "origin")}
    return sha256_text(canonical_json(told))


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
        raise spoilt(folder / "meta.json", str(error)) from error


def _map(folder: Path, name: str, meta: dict[str, Any]) -> np.ndarray:
    """One array, memory-mapped; copy-on-write, since torch warns about arrays that are read-only."""
    path, expected = folder / f"{name}.npy", meta["arrays"][name]
    try:
        array = np.load(path, mmap_mode="c")
    except (OSError, ValueError, EOFError) as error:
        raise spoilt(path, str(error)) from error
    if [array.dtype.str, list(array.shape)] != [expected["dtype"], expected["shape"]]:
        found = f"{array.dtype.str} {list(array.shape)}"
        raise spoilt(path, f"expected {expected['dtype']} {expected['shape']}, found {found}")
    size = array.offset + array.nbytes
    if path.stat().st_size != size:
        raise spoilt(path, f"expected {size:,} bytes, found {path.stat().st_size:,}")
    return array


def spoilt(path: Path, reason: str) -> UserError:
    """The error for a file that is not what was prepared."""
    return UserError(f"{path} is spoilt ({reason}): delete {path.parent} and run the same command again")

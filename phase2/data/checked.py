"""Prepared data whose every byte was checked: what trains and measures opens it here."""

from pathlib import Path

from phase2.checksums import Checksums
from phase2.data.prepared import Prepared, content_hash, open_prepared, spoilt


def open_checked(folder: Path) -> Prepared:
    """Opens prepared data; raises `UserError` that names an array or meta data which is not as it was written."""
    prepared, checksums = open_prepared(folder), Checksums()
    if content_hash(prepared.meta) != prepared.hash:
        raise spoilt(folder / "meta.json", "its hash is not that of its content")
    for name in prepared.arrays:
        expected, found = prepared.meta.get("files", {}).get(f"{name}.npy"), checksums.of(folder / f"{name}.npy")
        if found != expected:
            raise spoilt(folder / f"{name}.npy", f"expected sha256 {expected}, found {found}")
    checksums.remember()
    return prepared

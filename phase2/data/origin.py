"""Where a data set comes from: what stands as `SOURCE` in its file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataFile:
    """One file; `checksum` is `algorithm:hex`, of the bytes served or (`decompressed`) of their content."""

    name: str
    checksum: str
    decompressed: bool = False
    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a dataset comes from, on what terms, and how a user can get it when all sources fail."""

    files: tuple[DataFile, ...]
    origin: str
    licence: str
    citation: str
    system_folder: str = ""
    fix: str = "check the network"

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from dataset_formats import tar_of

from phase2.data.archives import extract_tar, gunzip, read_tar
from phase2.errors import UserError

FILES = {"a/one.bin": os.urandom(5000), "a/b/two.bin": os.urandom(3000)}


def archive_of(folder: Path, members: list[tarfile.TarInfo], mode: str = "w:gz") -> Path:
    with tarfile.open(folder / "data.tar", mode) as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return folder / "data.tar"


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = 10 if kind == tarfile.REGTYPE else 0
    return info


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_is_unpacked_and_read_alike(mode: str, tmp_path: Path):
    (tmp_path / "data.tar").write_bytes(tar_of(FILES, mode))
    extract_tar(tmp_path / "data.tar", tmp_path / "deep" / "out")
    assert {name: (tmp_path / "deep" / "out" / name).read_bytes() for name in FILES} == FILES
    assert dict(read_tar(tmp_path / "data.tar")) == FILES


@pytest.mark.parametrize(
    "hostile",
    [
        member("/etc/out.txt"),
        member("../out.txt"),
        member("inner/../../out.txt"),
        member("link", tarfile.SYMTYPE, "../out.txt"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.LNKTYPE, "../out.txt"),
        member("device", tarfile.CHRTYPE),
    ],
    ids=lambda info: f"{info.name}->{info.linkname}",
)
def test_members_that_leave_the_folder_are_refused(hostile: tarfile.TarInfo, tmp_path: Path):
    archive = archive_of(tmp_path, [member("good.txt"), hostile])
    with pytest.raises(UserError, match=r"data\.tar is refused: .*delete it and download it again"):
        extract_tar(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == ["data.tar"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.001])
def test_truncated_tars_are_named_and_leave_nothing(mode: str, kept: float, tmp_path: Path):
    whole = tar_of({"noise.bin": os.urandom(100_000)}, mode)
    archive = tmp_path / "data.tar"
    archive.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(
        UserError, match=r"data\.tar is truncated or damaged, or no archive at all \(.*\): delete it and download"
    ):
        extract_tar(archive, tmp_path / "out")
    with pytest.raises(UserError, match=r"data\.tar is truncated or damaged"):
        list(read_tar(archive))
    assert os.listdir(tmp_path) == ["data.tar"]


def test_an_empty_tar_is_named_and_leaves_nothing(tmp_path: Path):
    archive = archive_of(tmp_path, [], "w")
    with pytest.raises(UserError, match=r"data\.tar is empty: delete it and download it again"):
        extract_tar(archive, tmp_path / "out")
    assert os.listdir(tmp_path) == ["data.tar"]


def test_a_missing_archive_is_named(tmp_path: Path):
    for read in (gunzip, lambda path: list(read_tar(path)), lambda path: extract_tar(path, tmp_path / "out")):
        with pytest.raises(UserError, match=r"none\.gz does not exist: download the dataset first"):
            read(tmp_path / "none.gz")


def test_a_folder_that_exists_is_never_overwritten(tmp_path: Path):
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match="out exists already"):
        extract_tar(archive_of(tmp_path, [member("good.txt")]), tmp_path / "out")


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, full_disk: Callable):
    (tmp_path / "data.tar").write_bytes(tar_of(FILES, "w"))
    with full_disk(4000), pytest.raises(UserError, match=r"cannot write in .*: File too large"):
        extract_tar(tmp_path / "data.tar", tmp_path / "out")
    assert os.listdir(tmp_path) == ["data.tar"]


def test_gunzip_gives_the_content_or_names_the_archive(tmp_path: Path):
    content = os.urandom(1000)
    archive = tmp_path / "data.gz"
    whole = gzip.compress(content)
    archive.write_bytes(whole)
    assert gunzip(archive) == content
    spoilt = bytearray(whole)
    spoilt[-6] ^= 1  # in the checksum
    for broken in (whole[:-1], whole[:500], whole[:12], bytes(spoilt), b"not gzip"):
        archive.write_bytes(broken)
        with pytest.raises(UserError, match=r"data\.gz is truncated or damaged"):
            gunzip(archive)

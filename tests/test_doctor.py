"""`phase2 doctor` tells what a run needs, finds what is missing, and says how to mend it."""

import http.server
import io
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from phase2 import doctor, registry
from phase2.data.origin import DataFile, Source
from phase2.data.sources import source_of
from phase2.doctor import Check

ROOT = Path(__file__).parents[1]


def source(*urls: str, system_folder: str = "") -> Source:
    file = DataFile("images.gz", "sha256:0", urls=urls)
    return Source((file,), "origin", "licence", "citation", system_folder, fix="apt install images")


@pytest.fixture
def server() -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if self.path == "/images.gz" else 404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def dead_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/images.gz"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that holds what a test puts there, and sh."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_every_need_is_checked_and_each_fault_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_answers", lambda url: False)
    checks = doctor.check_all(ROOT)
    needs = {
        "Python",
        "folder",
        "torch",
        "GPU",
        "snakemake",
        "results/",
        ".phase2/",
        "disk",
        "LaTeX",
        "Slurm",
        "dvc",
        "commit",
    }
    assert {check.name for check in checks} == needs | set(registry.names("dataset"))
    assert all(bool(check.mend) == (check.status != "ok") for check in checks)
    assert all("\n" not in check.mend for check in checks)


def test_the_environment_that_runs_the_tests_has_what_every_run_needs() -> None:
    required = [doctor.check_python(), doctor.check_torch()[0], doctor.check_package("snakemake")]
    assert [check.status for check in required] == ["ok", "ok", "ok"]


@pytest.mark.parametrize(("checks", "code"), [([Check("a", "warn", "b", "c")], 0), ([Check("a", "fail", "b", "c")], 1)])
def test_only_what_every_run_needs_decides_the_exit_code(
    checks: list[Check], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "check_all", lambda root, mirror: checks)
    assert doctor.doctor(ROOT) == code


def test_the_table_shows_what_was_found_and_the_command_that_mends_it() -> None:
    console = Console(width=100, file=io.StringIO())
    console.print(doctor.render([Check("LaTeX", "warn", "missing: [biber]", "make latex")]))
    text = console.file.getvalue()
    assert "missing: [biber]" in text
    assert "mend: make latex" in text


@pytest.mark.parametrize("found", ["2.10.0", "2.15.0"])
def test_a_torch_outside_the_supported_range_fails(found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: found)
    check = doctor.check_package("torch")
    assert check.status == "fail"
    assert found in check.found
    assert "2.11" in check.found


def test_an_old_python_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.4")
    assert doctor.check_python().status == "fail"


def test_a_bundled_dataset_is_there() -> None:
    assert doctor.check_dataset("digits", source_of("digits"), ROOT, None) == Check("digits", "ok", "bundled")


def test_a_dataset_is_found_where_a_run_would_find_it_in_the_same_order(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "SYSTEM_ROOTS", (tmp_path / "system",))
    shop = source(f"{server}/images.gz", system_folder="shop-images")
    places = [
        (f"to be downloaded from {server.removeprefix('http://')}", None),
        ("system package: ", tmp_path / "system" / "shop-images"),
        ("mirror: ", tmp_path / "mirror" / "shop"),
        ("there: ", tmp_path / "data" / "raw" / "shop"),
    ]
    for found, folder in places:
        if folder:
            folder.mkdir(parents=True)
            (folder / "images.gz").touch()
        check = doctor.check_dataset("shop", shop, tmp_path, tmp_path / "mirror")
        assert check == Check("shop", "ok", f"{found}{folder or ''}")


def test_a_dataset_without_a_source_names_the_file_that_a_mirror_needs(tmp_path: Path, dead_address: str) -> None:
    check = doctor.check_dataset("shop", source(dead_address), tmp_path, None)
    assert check.status == "warn"
    assert "PHASE2_MIRROR" in check.mend
    assert "shop/images.gz" in check.mend
    assert "apt install images" in check.mend


def test_an_address_that_answers_with_an_error_does_not_serve_the_dataset(tmp_path: Path, server: str) -> None:
    assert doctor.check_dataset("shop", source(f"{server}/gone.gz"), tmp_path, None).status == "warn"


def test_a_folder_that_cannot_be_written_fails_and_is_not_made(tmp_path: Path) -> None:
    assert doctor.check_writable(tmp_path / "results").status == "ok"
    assert not (tmp_path / "results").exists()
    (tmp_path / "file").touch()
    check = doctor.check_writable(tmp_path / "file" / "results")
    assert check.status == "fail"
    assert str(tmp_path / "file") in check.found


def test_little_space_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_SPACE", float("inf"))
    assert doctor.check_space(tmp_path).status == "warn"


def test_missing_latex_is_named(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    script(tmp_path / "tools" / "setup.sh", "printf 'biber\\nsiunitx.sty\\n'")
    check = doctor.check_latex(tmp_path)
    assert check.status == "warn"
    assert "missing: biber, siunitx.sty" in check.found
    assert check.mend == "make latex"


def test_slurm_is_reported_when_its_controller_answers(tools: Path) -> None:
    for name in doctor.SLURM:
        script(tools / name, "echo cpu*")
    assert doctor.check_slurm() == Check("Slurm", "ok", "partitions: cpu*")


def test_slurm_without_a_controller_and_without_its_tools_are_told_apart(tools: Path) -> None:
    assert "sbatch, squeue, sinfo" in doctor.check_slurm().found
    for name in doctor.SLURM:
        script(tools / name, "echo 'cannot reach slurmctld' >&2; exit 1")
    check = doctor.check_slurm()
    assert check.status == "warn"
    assert "cannot reach slurmctld" in check.found


def test_a_checkout_without_its_dvc_folder_is_a_warning(tmp_path: Path) -> None:
    assert doctor.check_dvc(tmp_path).status == "warn"
    (tmp_path / ".dvc").mkdir()
    assert doctor.check_dvc(tmp_path).status == "ok"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"commit": "a" * 40, "dirty": False}, "ok"),
        ({"commit": "a" * 40, "dirty": True}, "warn"),
        ({"commit": None, "dirty": False}, "warn"),
    ],
)
def test_results_that_could_not_name_their_code_are_a_warning(
    state: dict[str, object], status: str, monkeypatch: pytest.MonkeyPatch, tools: Path
) -> None:
    monkeypatch.setattr(doctor, "commit", lambda: state)
    assert doctor.check_commit().status == status


def test_a_checkout_of_another_user_is_a_warning_with_gits_own_cure(
    monkeypatch: pytest.MonkeyPatch, tools: Path
) -> None:
    script(tools / "git", "echo fatal: detected dubious ownership in repository at x >&2; exit 128")
    monkeypatch.setattr(doctor, "commit", lambda: {"commit": "a" * 40, "dirty": False})
    check = doctor.check_commit()
    assert check.status == "warn"
    assert "aaaaaaaaaaaa, and git refuses commands of yours" in check.found
    assert check.mend == f"git config --global --add safe.directory {ROOT}"


def test_a_path_that_the_shell_takes_apart_fails_and_says_where_to_move_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/my phase2/.venv/bin/python")
    check = doctor.check_folder(ROOT)
    assert check.status == "fail"
    assert "the path '/my phase2/.venv/bin/python' holds ' '" in check.found
    assert check.mend.startswith("move the checkout to a folder with no spaces")

"""Where a run can work: a path that no shell takes apart, and the checkout's own folder."""

import sys
from pathlib import Path

import pytest

from phase2.errors import UserError
from phase2.study.place import check_place


def test_the_folder_of_the_checkout_is_the_place_of_a_run_by_whatever_link(tmp_path: Path):
    (tmp_path / "checkout").mkdir()
    (tmp_path / "link").symlink_to("checkout")
    check_place(tmp_path / "checkout", tmp_path / "link")


def test_another_folder_is_refused_with_what_to_do(tmp_path: Path):
    with pytest.raises(UserError, match=rf"would work in {tmp_path}, but .* run `cd {tmp_path}/checkout` first.* -d "):
        check_place(tmp_path / "checkout", tmp_path)


@pytest.mark.parametrize("name", ["a b", "it's", "(1)", "a&b", "a$b"])
def test_a_python_in_a_path_that_the_shell_takes_apart_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "executable", f"/home/me/{name}/.venv/bin/python")
    with pytest.raises(UserError, match="the shell takes apart when a job starts: move the checkout to") as error:
        check_place(tmp_path, tmp_path)
    assert f"/home/me/{name}/.venv" in str(error.value)


def test_a_checkout_in_a_path_that_pythonpath_takes_apart_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="holds ':'"):
        check_place(tmp_path / "a:b", tmp_path / "a:b")

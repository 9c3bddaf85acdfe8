"""Whether a run can work where it is: what cannot is refused before anything is made."""

import os
import re
import sys
from pathlib import Path

from phase2.errors import UserError

TAKEN_APART = re.compile(r"[\s'\"`\\$&|;<>()\[\]{}*?:]")  # tools/setup.sh has the same


def check_path(path: str | Path) -> None:
    """Raises `UserError` for a path that the shell or PYTHONPATH would take apart when a job starts."""
    if found := TAKEN_APART.search(str(path)):
        raise UserError(
            f"the path {str(path)!r} holds {found[0]!r}, which the shell takes apart when a job starts: move the "
            "checkout to a folder with no spaces, quotes, brackets, colons, $, & or the like in its path, "
            "then make setup there"
        )


def check_code(folder: Path) -> None:
    """Raises `UserError` in a checkout whose code is not the code that runs, such as that of another environment."""
    running = Path(__file__).resolve().parents[2]
    if (folder / "phase2" / "cli.py").is_file() and folder.resolve() != running:
        raise UserError(
            f"this command runs the code of {running}, but {folder} is another checkout: run `make setup` and "
            f"`. .venv/bin/activate` here, or put PYTHONPATH={folder} before the command"
        )


def check_place(checkout: Path, folder: Path) -> None:
    """Raises `UserError` where a run of `checkout` in the folder `folder` could not work.

    Jobs get the path of this Python without quotes, and the checkout's in PYTHONPATH; what they read and write is
    relative to the checkout.
    """
    check_path(sys.executable)
    if os.pathsep in str(checkout):
        check_path(checkout)
    if folder.resolve() != checkout.resolve():
        raise UserError(
            f"this run would work in {folder}, but a run reads and writes its own checkout, {checkout}: run "
            f"`cd {checkout}` first and leave out -d (--directory); for results elsewhere, clone the repository there"
        )

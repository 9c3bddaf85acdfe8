"""A folder that cannot be written is the user's to mend, so it is told apart from a source that failed."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phase2.errors import UserError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
LITTLE = 1 << 20  # bytes


@contextmanager
def writing_in(folder: Path) -> Iterator[None]:
    """Turns an `OSError` of the block (a full disk, no permission) into a `UserError` that names `folder`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot write in {folder}: {reason}. Free space, mend its permissions or choose another folder"
        ) from error


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what nobody keeps, below TMPDIR; gone after the block, which writes nowhere else.

    Raises `UserError` that names its place and how to have another, if there is no room in it.
    """
    with tempfile.TemporaryDirectory(prefix="phase2-") as name:
        try:
            yield Path(name)
        except OSError as error:  # a tree's copy raises one that has the reason in its text alone
            if error.errno not in NO_ROOM and os.strerror(errno.ENOSPC) not in str(error):
                raise
            raise no_room(Path(name)) from error


def no_room(scratch: Path) -> UserError:
    """The error for a scratch folder whose disk is full."""
    return UserError(
        f"no room for temporary files in {scratch.parent}: free space there, or name a folder that has some, "
        "as in `export TMPDIR=/big/disk/tmp`, and run the same command again"
    )


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder has next to no room: for programs that fail and do not say why."""
    return shutil.disk_usage(folder).free < LITTLE

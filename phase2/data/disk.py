"""A folder that cannot be written is the user's to mend, so it is told apart from a source that failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phase2.errors import UserError


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

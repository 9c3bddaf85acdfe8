"""Errors that a user can mend: each names the value, what was expected, and how to fix it."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class UserError(ValueError):
    """Something outside the code is wrong (a config value, a file, a source), and the message says how to fix it."""


def unknown(kind: str, value: object, known: Iterable[str]) -> UserError:
    """The error for a name that is not in a table, with the nearest known name.

    >>> str(unknown("activation", "rleu", ["relu", "tanh"]))
    "unknown activation 'rleu': did you mean 'relu'? Known: relu, tanh"
    """
    names = sorted(known)
    near = get_close_matches(str(value), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return UserError(f"unknown {kind} {value!r}: {hint}Known: {', '.join(names)}")


def not_made(run_dir: Path, file: str) -> UserError:
    """The error for a file that a run has not made yet: the command that makes it, and the runs that have theirs."""
    known = ", ".join(sorted(found.name for found in run_dir.parent.glob("*") if (found / file).is_file()))
    return UserError(
        f"there is no {run_dir / file}: its run makes it (desk: `make report`, smoke: `make smoke`, others: `snakemake "
        f"all --configfile` and their overlays); --run names another. Runs that have one: {known or 'none'}"
    )

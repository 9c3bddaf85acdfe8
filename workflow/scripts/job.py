"""What every script does around its one call: its output goes to the rule's log, and errors read as messages."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

from phase2.errors import UserError


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Runs the block with its output in the rule's log, which Snakemake shows if the job fails (`show-failed-logs`)."""
    with open(snakemake.log[0], "w", buffering=1, encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        try:
            yield
        except UserError as error:  # the user's to mend: no traceback
            print(f"phase2: {error}")
            sys.exit(1)
        except OSError as error:
            print(f"phase2: {error}. Free space there or mend the permissions, then run the same command again")
            sys.exit(1)
        except Exception:
            traceback.print_exc()
            sys.exit(1)

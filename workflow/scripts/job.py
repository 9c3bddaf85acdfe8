"""What every script does around its one call: its output goes to the rule's log, errors read as messages, and where the
rule declares a receipt, it is written at the end.
"""

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from phase2.checksums import Checksums
from phase2.errors import UserError
from phase2.study.own import use_own
from phase2.study.receipt import made_from, write_receipt


@contextmanager
def job(snakemake: Any, also: Callable[[], Iterable[Path]] = tuple) -> Iterator[None]:
    """Runs the block with its output in the rule's log, which Snakemake shows if the job fails (`show-failed-logs`).

    `also` names files that the block has written besides the declared ones.
    """
    with open(snakemake.log[0], "w", buffering=1, encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        try:
            use_own(snakemake.config)
            receipt = dict(snakemake.output.items()).get("receipt")
            if receipt is None:  # a cell's metrics are its receipt
                yield
                return
            checksums = Checksums()  # before the block: inputs and script as it finds them
            inputs = {path: checksums.of(path) for path in snakemake.input}
            made = made_from(snakemake.params, _script())
            yield
            written = [*(path for path in snakemake.output if path != receipt), *map(str, also())]
            write_receipt(Path(receipt), made, inputs, {path: checksums.of(path) for path in written})
            checksums.remember()
        except UserError as error:  # the user's to mend: no traceback
            print(f"phase2: {error}")
            sys.exit(1)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:  # a folder for a file, or the reverse
            print(f"phase2: {error}. Move away what lies there, then run the same command again")
            sys.exit(1)
        except OSError as error:
            print(f"phase2: {error}. Free space there or mend the permissions, then run the same command again")
            sys.exit(1)
        except Exception:
            traceback.print_exc()
            sys.exit(1)


def _script() -> Path:
    """The file of the script that runs."""
    return Path(sys.modules["__main__"].__file__ or "")

"""`phase2 verify`: compares everything at once: disk, cell store, configuration and code.

The graph's own comparison (rules/receipts.smk) runs as a dry run in which no remembered checksum is trusted: every byte
is read. The store's entries are compared with their checksums and with their names, which say what they were made from.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phase2.checksums import REMEMBERED
from phase2.errors import UserError
from phase2.files import write_json
from phase2.study.store import Store


def verify(content: dict[str, Any], store: Store, mend: bool, say: Callable[[str], None]) -> bool:
    """Whether all results of a configuration, as it was read, agree; `say` gets a line for each thing that does not.

    With `mend`, damaged entries of the store are set aside and Snakemake makes again what disagrees, and the answer is
    what is true after that. Raises `UserError` if Snakemake cannot plan the run, with its own words.
    """
    with tempfile.TemporaryDirectory() as name:
        overlay, answer = Path(name) / "config.json", Path(name) / "disagreements.json"
        write_json(overlay, content)
        command = [sys.executable, "-m", "snakemake", "--cores", "all", "all", "--configfile", str(overlay)]
        wrong = [f"store: {key[:12]}: {problem}" for key, problem in store.problems()]
        wrong += [f"{rule}: {reason} ({count})" for rule, reason, count in _compared(command, answer)]
        for line in wrong:
            say(line)
        if not wrong or not mend:
            return not wrong
        for key, _ in list(store.problems()):
            store.holds(key, ())  # which sets a damaged entry aside
        REMEMBERED.unlink(missing_ok=True)  # the run is to see what was seen here
        subprocess.run(command, check=False)
    return verify(content, store, mend=False, say=say)


def _compared(command: list[str], answer: Path) -> list[tuple[str, str, int]]:
    planned = subprocess.run(
        [*command, "--dry-run", "--quiet", "all"],
        env=os.environ | {"PHASE2_VERIFY": str(answer)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if planned.returncode or not answer.exists():
        raise UserError(f"Snakemake cannot plan the run:\n{planned.stderr.strip()}")
    return json.loads(answer.read_text(encoding="utf-8"))

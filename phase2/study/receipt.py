"""Receipts: each result of a run says what it was made from, in a file that travels with it.

Snakemake's memory may be lost, and files may be pulled, copied, touched or overwritten. So whoever plans a run compares
every receipt with what is wanted now, and what does not agree is made again, never read. A cell's own metrics are its
receipt (`phase2.study.results`).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from phase2.checksums import Checksums
from phase2.files import canonical_json, write_json
from phase2.source import digest_of


def made_from(params: Any, script: Path) -> dict[str, Any]:
    """What a rule's results are made from besides its inputs: its params, its script, and what all scripts share."""
    texts = (path.read_text(encoding="utf-8") for path in (script, script.with_name("job.py")))
    return {"params": dict(params.items()), "script": "".join(map(digest_of, texts))}


def write_receipt(
    receipt: Path, made_from: dict[str, Any], inputs: dict[str, str | None], outputs: dict[str, str | None]
) -> None:
    """Writes what `outputs` were made from: parameters and code, and the bytes of every input, by checksum."""
    write_json(receipt, {"made_from": _plain(made_from), "inputs": inputs, "outputs": outputs})


def disagreement(
    receipt: Path, made_from: dict[str, Any], inputs: Iterable[str], outputs: Iterable[str], checksums: Checksums
) -> str | None:
    """In which way results are not those that are wanted now, or None.

    An input that is not there is not compared: whether it has to be made is for the rule that makes it.
    """
    try:
        said = json.loads(receipt.read_text(encoding="utf-8"))
        before, read, written = said["made_from"], dict(said["inputs"]), dict(said["outputs"])
        recorded = set(read), set(written)
    except FileNotFoundError:
        return "nothing says what it was made from"
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return f"{receipt} cannot be read ({error})"
    if "script" not in before:  # as `phase2.run.fill.prepare` leaves it
        return "made by `phase2 train` or `phase2 fill`, and not yet by a run"
    if place := _changed(before, _plain(made_from)):
        return f"{place} changed"
    wanted = {path: checksums.of(path) for path in inputs}
    if others := recorded[0] ^ set(wanted):
        return f"it was made from other files ({_some(others)})"
    if changed := [path for path, checksum in wanted.items() if checksum not in (None, read[path])]:
        return f"what it was made from changed ({_some(changed)})"
    if others := set(outputs) - recorded[1]:
        return f"nothing says what {_some(others)} was made from"
    if changed := [path for path, checksum in written.items() if checksums.of(path) != checksum]:
        return f"{_some(changed)} is not as it was written"
    return None


def _plain(content: Any) -> Any:
    """As it reads back from JSON."""
    return json.loads(canonical_json(content))


def _changed(before: Any, now: Any, place: str = "") -> str:
    """The first place at which two plain contents differ, dotted; "" if they are equal."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            if found := _changed(before.get(key), now.get(key), f"{place}.{key}" if place else key):
                return found
        return ""
    return "" if before == now else place or "everything"


def _some(paths: Iterable[str]) -> str:
    first, *rest = sorted(paths)
    return f"{first} and {len(rest)} more" if rest else first

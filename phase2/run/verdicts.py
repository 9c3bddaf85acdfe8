"""What `phase2 claims` prints: the claims of a run as they were judged."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from phase2.errors import UserError, not_made, unknown

MARKS = {"supported": "+", "denied": "-", "cannot say": "?"}


def read_claims(run_dir: Path) -> list[dict[str, Any]]:
    """The claims of a run, judged; raises `UserError` if it has none yet."""
    path = run_dir / "claims.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise not_made(run_dir, path.name) from None
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path} ({error}): delete it and run `make report`, which judges them") from None


def listing(run_dir: Path, words: str = "") -> str:
    """The claims with `words` in their name or subject, all if there are none, and how many have which verdict."""
    every = read_claims(run_dir)
    asked = words.lower().replace("_", " ")
    found = [claim for claim in every if asked in f"{claim['name']} {claim['subject'].replace('_', ' ')}".lower()]
    if words and not found:
        raise unknown("claim", words, [claim["name"] for claim in every])
    counts = Counter(claim["verdict"] for claim in found)
    summed = ", ".join(f"{counts[verdict]} {verdict}" for verdict in MARKS)
    return "\n".join([*map(_told, found), f"{len(found)} {'claim' if len(found) == 1 else 'claims'}: {summed}"])


def _told(claim: dict[str, Any]) -> str:
    numbers = "; ".join(f"{name.replace('_', ' ')} {number['text']}" for name, number in claim["numbers"].items())
    written = "registered" if claim["registered"] else "exploratory"
    seeds = "1 seed" if claim["seeds"] == 1 else f"{claim['seeds']} seeds"
    most = f" to {claim['most_steps']:,}" if claim["most_steps"] > claim["steps"] else ""
    images = f", {claim['images']:,} images" if claim["images"] else ""
    scale = f"{seeds}{images}, {claim['steps']:,}{most} steps"
    room = "" if claim["room"] is None else f", {claim['room']:.0%} of resampled seeds agree"
    lines = [
        f"{MARKS[claim['verdict']]} {claim['name']} ({claim['subject']}): {claim['verdict']}",
        f"    {claim['sentence']}",
        *([f"    why: {claim['why']}"] if claim["why"] else []),
        *([f"    {numbers}"] if numbers else []),
        f"    {scale}{room}; {written}; {claim['source']}",
    ]
    return "\n".join(lines)

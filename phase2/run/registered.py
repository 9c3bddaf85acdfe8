"""Whether a claim was written before the results that test it: git knows both dates."""

import ast
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from phase2.source import ROOT
from phase2.study.provenance import git


def registered(criterion: Callable[..., Any], path: Path, commits: Iterable[str | None]) -> bool:
    """Whether the criterion's function, sentence and needs included, stood in its file as it does today at each of the
    commits at which results were made. At None, which is a commit that is not known, nothing stood.
    """
    today = _functions(path.read_text(encoding="utf-8")).get(criterion.__name__)
    return all(commit is not None and _at(commit, path).get(criterion.__name__) == today for commit in commits)


@cache
def _at(commit: str, path: Path) -> dict[str, str]:
    """The functions of a file as it was at a commit; none if it, or the commit, is not in this repository."""
    if not path.is_relative_to(ROOT):
        return {}
    text = git("show", f"{commit}:{path.relative_to(ROOT).as_posix()}")
    return _functions(text) if text else {}


def _functions(text: str) -> dict[str, str]:
    """The functions of a source text, each without its comments and line breaks."""
    return {node.name: ast.unparse(node) for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}

"""Whether a claim was written before the results that test it: git knows both dates."""

import ast
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from phase2.source import ROOT
from phase2.study.provenance import git


def registered(criterion: Callable[..., Any], path: Path, commits: Iterable[str | None]) -> bool:
    """Whether the criterion's function, with its sentence, its needs and the helpers and constants of its file, stood
    as it does today at each of the commits at which results were made. At None, which is a commit that is not known,
    nothing stood.
    """
    today = _claims(path.read_text(encoding="utf-8")).get(criterion.__name__)
    return all(commit is not None and _at(commit, path).get(criterion.__name__) == today for commit in commits)


@cache
def _at(commit: str, path: Path) -> dict[str, str]:
    """The claims of a file as it was at a commit; none if it, or the commit, is not in this repository."""
    if not path.is_relative_to(ROOT):
        return {}
    text = git("show", f"{commit}:{path.relative_to(ROOT).as_posix()}")
    return _claims(text) if text else {}


def _claims(text: str) -> dict[str, str]:
    """The claims of a source text, each with all that they share there, without comments and line breaks."""
    body = ast.parse(text).body
    claims = [node for node in body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    shared = [
        node for node in body if node not in claims and not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)
    ]
    return {claim.name: "\n".join(map(ast.unparse, [*shared, claim])) for claim in claims}

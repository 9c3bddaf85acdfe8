"""Every claim about a run with its verdict: results/<run>/claims.json, which all that tells of claims reads."""

import ast
import json
import math
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from phase2 import registry, source
from phase2.claims import Claim, Estimate, Evidence, Results
from phase2.claims.claim import Judged
from phase2.errors import UserError
from phase2.run.claims import Subject, subjects, tables_of
from phase2.run.config import Config
from phase2.run.registered import registered
from phase2.study.score import Score
from phase2.study.tables import read_table


def judge(config: Config, run_dir: Path) -> list[dict[str, Any]]:
    """Every claim about a run with its verdict, as plain data."""
    told, kinds = [], Counter(probe.probe for probe in config.probes.values())
    for subject in subjects(config):
        results = read_results(config, subject, run_dir)
        for claim in load(subject.path):
            lacking = Judged("cannot say", f"this run has no study {subject.name}")
            judged = _judged(claim, subject, results) if results else lacking
            several = subject.kind == "probe" and kinds[config.probes[subject.name].probe] > 1
            name = f"{claim.name} in {subject.name.replace('_', ' ')}" if several else claim.name
            told.append({"name": name, **_plain(config, subject, claim, results, judged, run_dir)})
    _check_names(told)
    return told


def _check_names(told: list[dict[str, Any]]) -> None:
    """Raises `UserError` for two claims of one name, by which documents call them."""
    first: dict[str, str] = {}
    for claim in told:
        other = first.setdefault(claim["name"], claim["source"])
        if other != claim["source"]:
            raise UserError(f"{other} and {claim['source']} are both the claim {claim['name']!r}: rename one function")


def load(path: Path) -> list[Claim]:
    """The claims of a file, in their order; raises `UserError` if there is none, or if one cannot be read."""
    functions = [node.name for node in source.parsed(path).body if isinstance(node, ast.FunctionDef)]
    if twice := [name for name in functions if functions.count(name) > 1]:
        raise UserError(f"{path}: two functions are called {twice[0]}, and only the last would count: rename one")
    try:
        module = import_module(registry.module_of(path))
    except Exception as error:  # of a file of the user's own anything may be wrong
        told = f"{type(error).__name__}: {error}"
        raise UserError(f"{path} cannot be read ({told}): mend it; a claim begins with @claim()") from None
    found = [value for value in vars(module).values() if isinstance(value, Claim)]
    if not found:
        raise UserError(f"{path} holds no claim: write one, a function under @claim(), or remove the file")
    if silent := [claim.name for claim in found if not claim.sentence]:
        raise UserError(f"{path}: the claim {silent[0]!r} says nothing: write its sentence as the function's docstring")
    return found


def _judged(claim: Claim, subject: Subject, results: Results) -> Judged:
    try:
        return claim.judge(results)
    except UserError as error:
        return Judged("cannot say", f"this run lacks what it asks for: {error}")
    except KeyError as error:
        return Judged("cannot say", f"this run's tables have no {error.args[0]!r}")
    except Exception as error:  # of a claim of the user's own anything may be wrong
        raise UserError(f"{subject.path}: the claim {claim.name!r} fails ({error!r}): mend its function") from error


def read_results(config: Config, subject: Subject, run_dir: Path) -> Results | None:
    """The tables of a study or a probe; None of a study that the run lacks."""
    names = tables_of(config, subject)
    if not names:
        return None
    folder = run_dir / "tables" / subject.name
    tables = {name: read_table(folder / f"{name}.csv") for name in names}
    if subject.kind == "probe":
        return Results(subject.name, tables, images=getattr(config.probes[subject.name], "train", 0) or 0)
    study = config.studies[subject.name]
    baseline = tables.pop("baseline")
    if len(baseline):
        tables["baseline"] = baseline
    images = int(baseline["train"].iloc[0]) if len(baseline) else study.task.train or 0
    score = Score.read(tables.pop("score"))
    steps = tables["cells"]["steps"]
    return Results(subject.name, tables, study.axes.values(), score, images, int(steps.min()), int(steps.max()))


def _plain(
    config: Config, subject: Subject, claim: Claim, results: Results | None, judged: Judged, run_dir: Path
) -> dict[str, Any]:
    section = (config.studies if subject.kind == "study" else config.probes).get(subject.name)
    evidence = judged.evidence
    return {
        "subject": subject.name,
        "kind": subject.kind,
        "chapter": section.chapter if section else None,
        "sentence": claim.sentence,
        "verdict": judged.verdict,
        "why": judged.why,
        "numbers": {name: _number(each) for name, each in evidence.numbers.items()} if evidence else {},
        "seeds": _seeds(results, evidence),
        "images": results.images if results else 0,
        "steps": results.steps if results else 0,
        "most_steps": results.most_steps if results else 0,
        "room": judged.room,
        "registered": results is not None
        and not claim.exploratory
        and registered(claim.criterion, subject.path, made_at(results, run_dir)),
        "source": f"{_shown(subject.path)}:{claim.criterion.__code__.co_firstlineno}",
    }


def _seeds(results: Results | None, evidence: Evidence | None) -> int:
    """Of how many seeds the evidence is: a table may have fewer than another. Without evidence, how many there are."""
    of_numbers = max((each.n for each in evidence.numbers.values()), default=0) if evidence else 0
    return of_numbers if of_numbers > 1 or not results else len(results.seeds)


def _number(estimate: Estimate) -> dict[str, Any]:
    """A number of the evidence; what is not finite is not there."""
    told = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in vars(estimate).items()}
    return told | {"text": estimate.text}


def made_at(results: Results, run_dir: Path) -> set[str | None]:
    """The commits at which results were made; None among them for those made with changed files or without git."""
    if "cells" in results.tables:
        made: Any = results.cells[["commit", "dirty"]].drop_duplicates()
    else:
        path = run_dir / "tables" / results.name / "provenance.json"
        made = pd.DataFrame([json.loads(path.read_text(encoding="utf-8"))])
    return {None if row.dirty or pd.isna(row.commit) else str(row.commit) for row in made.itertuples()}


def _shown(path: Path) -> str:
    return str(path.relative_to(source.ROOT)) if path.is_relative_to(source.ROOT) else str(path)

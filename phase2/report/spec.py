"""What a study or a probe was told to do: its axes with their levels, its data, and all that is not at its default."""

import re
from collections.abc import Iterator
from typing import Any

from phase2.report.inputs import BASELINE, ProbeInputs, StudyInputs, Subject
from phase2.report.latex import count, described, escape, lines, listed, quantity, significant
from phase2.report.tabular import wrapped
from phase2.study.factors import SEED
from phase2.study.section import Section
from phase2.study.training import AXES
from phase2.words.levels import label

TOLD_ELSEWHERE = {"question", "chapter", "figures", "axes", "probe", "keep", "jobs"}
OF_DATA = {("task", name) for name in ("dataset", "train", "validation", "test")}
WIDTHS = (150, 312)


def spec_of(subject: Subject) -> list[tuple[str, str]]:
    """Names and values as LaTeX, a row each."""
    return study_spec(subject) if isinstance(subject, StudyInputs) else probe_spec(subject)


def study_spec(study: StudyInputs) -> list[tuple[str, str]]:
    """The data, the axes, how much was trained, and every setting on no axis that is not at its default."""
    cells = study.tables["cells"]
    axes = {axis: levels for axis, levels in study.axes.items() if axis != SEED}
    crossed = [(f"{_name((axis,))} ({len(levels)})", _levels(levels)) for axis, levels in axes.items()]
    runs = f"{count(len(cells))} of {count(study.seeds)} seed{'s' if study.seeds > 1 else ''}, {_steps(study)}"
    on_axes = {AXES[axis].path if axis in AXES else ("model", "options", axis) for axis in axes}
    left_out = OF_DATA | on_axes
    fixed = [(_name(path), _value(path, value)) for path, value in _settings(study.study) if path not in left_out]
    return [("Data", _data(study)), *crossed, ("Runs", runs), *fixed]


def probe_spec(probe: ProbeInputs) -> list[tuple[str, str]]:
    """The kind, every option that is not at its default, and how many trained networks it read."""
    options = [(_described(probe.options, path), _value(path, value)) for path, value in _settings(probe.options)]
    cells = probe.provenance.get("cells") or []
    told = (
        f"those of the {count(len(cells))} of {title(probe.provenance['study'])} that did not diverge" if cells else ""
    )
    read = [("Networks read", told)] if cells else []
    return [("Kind", escape(probe.options.probe.replace("_", " "))), *options, *read]


def _described(options: Section, path: tuple[str, ...]) -> str:
    """An option of a probe by what its card says of it, up to a colon or a semicolon."""
    if len(path) > 1:  # the levels of an axis
        return _name(path[1:])
    words = re.split("[:;]", type(options).model_fields[path[0]].description or "")[0]
    return escape(words[:1].upper() + words[1:]) if words else _name(path)


def title(study: str) -> str:
    """A study as others name it."""
    return rf"\texttt{{{escape(study)}}}"


def spec_table(subject: Subject) -> str:
    """The specification as LaTeX, two columns. It does not break: a table that does overflows beside floats."""
    rows = [rf"{name} & {value} \\" for name, value in spec_of(subject)]
    return lines(rf"{{\small\begin{{tabular}}{{{wrapped(*WIDTHS)}}}", *rows, r"\end{tabular}\par}")


def images_of(study: StudyInputs) -> int:
    """The training images of a study."""
    task, shapes = study.study.task, study.meta["arrays"]
    return task.train or shapes["train_images"]["shape"][0] - task.validation


def _data(study: StudyInputs) -> str:
    task = study.study.task
    test = task.test or study.meta["arrays"]["test_images"]["shape"][0]
    classes = len(study.meta["classes"])
    sizes = {"training": images_of(study), "validation": task.validation, "testing": test}
    images = listed([f"{count(size)} for {part}" for part, size in sizes.items()])
    return f"{described('dataset', task.dataset)}: images {images}; {count(classes)} classes, {_guessing(study)}"


def _guessing(study: StudyInputs) -> str:
    """What the largest class reaches, or where no baseline was made, what guessing does."""
    if BASELINE in study.tables:
        scores = study.tables[BASELINE].set_index("model")["test_score"]
        return f"the largest of which scores {quantity(study.score, float(scores['majority']))}"
    return f"guessing scores {quantity(study.score, study.score.chance)}"


def _steps(study: StudyInputs) -> str:
    """The steps of the runs that finished."""
    cells = study.tables["cells"]
    steps = cells["steps"][cells["status"] == "ok"]
    if steps.empty:
        return "none of which finished"
    least, most = steps.min(), steps.max()
    return f"{count(least)} steps each" if least == most else f"{count(least)} to {count(most)} steps each"


def _settings(section: Section) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every setting that is not at its default, with its path."""
    yield from _flat(section.model_dump(mode="json", exclude=TOLD_ELSEWHERE, exclude_defaults=True))


def _flat(content: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _flat(value, (*above, name))
        else:
            yield (*above, name), value


_AXIS_AT = {place.path: place.axis.label for place in AXES.values()}


def _name(path: tuple[str, ...]) -> str:
    """A setting as words: an axis by its label, another by its last name, of the part that it belongs to."""
    known = AXES[path[0]].axis.label if path in {(axis,) for axis in AXES} else _AXIS_AT.get(path)
    words = known or " ".join(name.replace("_", " ") for name in path if name not in ("options", "task", "budget"))
    return escape(words[:1].upper() + words[1:])


def _value(path: tuple[str, ...], value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _levels(value)
    if path == ("model", "name"):
        return described("model", value)
    if path == ("optimizer", "name"):
        return described("optimizer", value)
    return escape(label(value).replace("_", " ")) if isinstance(value, str) else _number(value)


def _levels(levels: list[Any]) -> str:
    return listed([_value((), level) for level in levels])


def _number(value: float) -> str:
    if isinstance(value, int):
        return count(value)
    return significant(value) if "e" in (text := f"{value:g}") else text

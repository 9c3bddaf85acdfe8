"""Macros that say what was run: the design from the configuration, the data from its meta, the machine."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from phase2.report.conclusions import ALPHA
from phase2.report.inputs import DEFINED, StudyInputs, get
from phase2.report.latex import count, described, escape, listed, percentage, plural
from phase2.report.macros import Ledger
from phase2.stats import bootstrap, factorial
from phase2.study.section import NO_LIMIT, NO_NORM
from phase2.words.labels import plural as plural_of
from phase2.words.levels import label


def state_run(config: dict[str, Any], environment: dict[str, Any], studies: list[StudyInputs], ledger: Ledger) -> None:
    """Enters the macros of the whole run."""
    say = partial(ledger.state, None)
    cells = [study.tables["cells"] for study in studies]
    say("Run", escape(get(config, "run")), "config", "run")
    say("Missing", _missing(config.get("missing", [])), "config", "missing: what failed, and is left out")
    say("Total Cells", count(sum(map(len, cells))), "cells", "rows of all studies' tables of cells")
    say("Total Time", _duration(sum(float(c["seconds"].sum()) for c in cells)), "cells", "sum of seconds")
    say("Level", percentage(bootstrap.LEVEL, 0), "code", "phase2.stats.bootstrap.LEVEL")
    say("Resamples", count(bootstrap.RESAMPLES), "code", "phase2.stats.bootstrap.RESAMPLES")
    say("Share Resamples", count(factorial.RESAMPLES), "code", "phase2.stats.factorial.RESAMPLES")
    say("Alpha Percent", percentage(ALPHA, 0), "code", "phase2.report.conclusions.ALPHA")
    _state_environment(config, environment, say)


def _missing(names: list[str]) -> str:
    """What the first page says of a report that is not whole; nothing of one that is."""
    if not names:
        return ""
    told = listed([rf"\texttt{{{escape(name)}}}" for name in names])
    return rf"\noindent\textbf{{This report is not whole: it lacks {told}, which failed in this run.}}\par"


def _state_environment(config: dict[str, Any], environment: dict[str, Any], say: partial) -> None:
    known = partial(get, environment, kind="record of the environment (environment.json)")
    packages = known("packages")
    versions = [f"{name}~{version}" for name, version in packages.items() if version]
    say("Python", escape(known("python")), "environment", "python")
    say("Torch", escape(known("packages", "torch")), "environment", "packages.torch")
    say("Packages", escape(listed(versions)).replace(r"\textasciitilde{}", "~"), "environment", "packages")
    say("Platform", escape(known("platform")), "environment", "platform")
    say("Cpu", escape(known("cpu")), "environment", "cpu")
    say("Cores", plural(known("cores"), "core"), "environment", "cores")
    say("Threads", plural(get(config, "compute", "threads"), "thread"), "config", "compute.threads")
    commit, time = known("commit"), known("commit_time")
    say("Commit", escape(commit or "unknown"), "environment", "commit")
    state = "with uncommitted changes in the files" if known("dirty") else "with no uncommitted changes"
    say("Tree", state if commit else "as the files were not under version control", "environment", "dirty")
    date = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d") if time else "undated"
    say("Commit Date", date, "environment", "commit_time, UTC")


def state_study(study: StudyInputs, ledger: Ledger) -> None:
    """Enters the macros of one study: its design, its data, and the counts of its cells."""
    say, cells, config = partial(ledger.state, study.name), study.tables["cells"], study.config
    say("Title", rf"\texttt{{{escape(study.name)}}}", "config", "the study's name")
    say("Question", escape(get(config, "question").strip()), "config", "question")
    say("Network", _network(study), "config", "model and its axes")
    say("Fixed", _fixed(study), "config", "components that are on no axis")
    epochs = _either(study, "epochs", get(config, "budget", "epochs"))
    say("Epochs", f"{epochs} epoch{'' if epochs == '1' else 's'}", "config", "budget.epochs or its axis")
    batch = _either(study, "batch_size", get(config, "budget", "batch_size"))
    say("Batch", f"{batch} image{'' if batch == '1' else 's'}", "config", "budget.batch_size or its axis")
    say("Optimizer", _optimizer(study), "config", "optimizer")
    say("Clipping", _clipping(study), "config", "clip and clip_value, or their axes")
    say("Cells", count(len(cells)), "cells", "rows")
    say("Seeds", plural(study.seeds, "seed"), "cells", "distinct seeds")
    say("Factors", _factors(study), "config", "axes but the seed")
    say("Combinations", count(len(study.tables["divergence"])), "divergence", "rows")
    _state_data(study, say)


def _state_data(study: StudyInputs, say: partial) -> None:
    task, shapes = get(study.config, "task"), get(study.meta, "arrays", kind="data meta")
    images, test = (get(shapes, f"{part}_images", "shape", kind="data meta")[0] for part in ("train", "test"))
    dataset = get(task, "dataset")
    held, used = get(task, "validation"), get(task, "train")
    say("Dataset", described("dataset", dataset), "config", "task.dataset")
    say("Published", count(images), "data", "arrays.train_images.shape")
    say("Test", count(task.get("test") or test), "config", "task.test, or all that there are")
    say("Validation", count(held), "config", "task.validation")
    say("Train", count(used or images - held), "config", "task.train, or all that validation leaves")
    say("Classes", count(study.classes), "data", "number of classes")
    say("Chance", percentage(1 / study.classes, 0), "data", "1 / classes")
    say("Origin", escape(get(study.meta, "origin", kind="data meta")), "data", "origin")
    digest = get(study.meta, "hash", kind="data meta")
    say("Data Hash", rf"\texttt{{{digest[:12]}}}", "data", "hash, its first 12 digits")


def _network(study: StudyInputs) -> str:
    """What is trained: a perceptron of so many layers and units, or architectures by name with what they are given."""
    model = get(study.config, "model")
    sizes = {key: _either(study, key, model[key]) for key in ("depth", "width") if key in study.axes or model.get(key)}
    networks = study.axes.get("model", [get(model, "name")])
    if networks == ["mlp"]:
        return f"a perceptron of {sizes['depth']} hidden layers of {sizes['width']} units"
    parts = [f"{sizes['depth']} layers"] if "depth" in sizes else []
    parts += [f"{sizes['width']} channels in its first stage"] if "width" in sizes else []
    parts += [f"{escape(key)} {escape(label(value))}" for key, value in model.get("options", {}).items()]
    names = _alternatives([described("model", each) for each in networks])
    return f"{names} ({listed(parts)})" if parts else names


def _either(study: StudyInputs, axis: str, value: float) -> str:
    """The levels of an axis as alternatives, or the one value where there is no such axis."""
    levels = [f"{level:,}" if isinstance(level, int) else f"{level:g}" for level in study.axes.get(axis, [value])]
    return _alternatives(levels)


def _alternatives(parts: list[str]) -> str:
    return listed(parts).replace(" and ", " or ")


def _fixed(study: StudyInputs) -> str:
    """The components that all cells of a study share."""
    fixed = [kind for kind in DEFINED if kind not in study.axes and study.levels_of(kind) != [NO_NORM]]
    parts = [f"{escape(label(kind))} {escape(label(study.levels_of(kind)[0]))}" for kind in fixed]
    dropout = get(study.config, "model").get("dropout", 0)
    return listed(parts + ([f"dropout {dropout:g}"] if dropout and "dropout" not in study.axes else [])) or "none"


def _optimizer(study: StudyInputs) -> str:
    optimizer = get(study.config, "optimizer")
    name = get(optimizer, "name")
    parts = [f"a peak learning rate of {_either(study, 'lr', optimizer['lr'])}"]
    decay = optimizer.get("weight_decay", 0.0)
    parts += [f"weight decay {_either(study, 'weight_decay', decay)}"] if decay or "weight_decay" in study.axes else []
    for option, value in optimizer.get("options", {}).items():
        words = option.replace("_", " ")
        parts.append(words if value is True else f"no {words}" if value is False else f"{words} {value:g}")
    names = [described("optimizer", each) for each in study.axes.get("optimizer", [name])]
    return f"{_alternatives(names)} with {escape(listed(parts)).replace('nesterov', 'Nesterov steps')}"


def _clipping(study: StudyInputs) -> str:
    """How gradients are clipped: to which norms, to which largest entries."""
    parts = []
    for key, what in (("clip", "a norm of"), ("clip_value", "entries of at most")):
        limits = study.axes.get(key, [get(study.config, key)])
        chosen = [label(limit) for limit in limits if limit != NO_LIMIT]
        free = " or not clipped" if chosen and len(chosen) < len(limits) else ""
        parts += [f"gradients are clipped to {what} {_alternatives(chosen)}{free}"] if chosen else []
    return "; ".join(parts) or "gradients are not clipped"


def _factors(study: StudyInputs) -> str:
    parts = []
    for factor in study.factors:
        size = len(study.axes[factor])
        words = plural_of(factor)
        parts.append(f"{size} {words.removesuffix('s') if size == 1 else words}")
    return listed(parts) or "no factor"


def _duration(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} seconds"

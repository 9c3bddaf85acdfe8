"""Networks as if a study of them had finished: its axes are theirs."""

from phase2.probe.runs import Run, Runs


def finished(*runs: Run) -> Runs:
    axes: dict = {}
    for run in runs:
        for name, value in run.axes.items():
            axes[name] = list(dict.fromkeys([*axes.get(name, []), value]))
    return Runs(runs, axes)

"""Which code stands behind a cell: the loop, and the components that its spec names."""

from typing import Any

from phase2.study.fingerprint import fingerprint


def components_of(spec: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The named parts that a cell uses, as (kind, name) of `phase2.registry`."""
    return (
        ("model", spec["model"]["name"]),
        ("activation", spec["model"]["activation"]),
        ("norm", spec["model"]["norm"]),
        ("augmentation", spec["task"]["augment"]),
        ("init", spec["init"]),
        ("schedule", spec["schedule"]),
        ("optimizer", spec["optimizer"]["name"]),
    )


def training_code(spec: dict[str, Any]) -> str:
    """The fingerprint of all code that decides a cell's numbers."""
    return fingerprint("phase2.train.loop", components=components_of(spec))


def dataset_code(dataset: str) -> str:
    """The fingerprint of the code that prepares a data set."""
    return fingerprint(components=(("dataset", dataset),))

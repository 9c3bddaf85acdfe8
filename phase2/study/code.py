"""Which code stands behind a cell: the loop, and the components that its settings name."""

from typing import Any

from phase2 import registry
from phase2.data.own import content_of
from phase2.files import sha256_text
from phase2.study.fingerprint import fingerprint


def metrics_of(settings: dict[str, Any]) -> tuple[str, ...]:
    """The metrics of a cell's task by name; the first chooses the best weights."""
    return tuple(registry.part("task", settings["task"]["name"]).card.traits["metrics"])


def components_of(settings: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The named parts that a cell of these settings uses, as (kind, name) of `phase2.registry`."""
    task = settings["task"]["name"]
    return (
        ("task", task),
        *(("metric", name) for name in metrics_of(settings)),
        ("model", settings["model"]["name"]),
        ("activation", settings["model"]["activation"]),
        ("norm", settings["model"]["norm"]),
        *(("augmentation", name) for name in registry.several(settings["task"]["augment"])),
        ("tta", settings["task"]["tta"]),
        ("init", settings["init"]),
        ("schedule", settings["schedule"]),
        ("optimizer", settings["optimizer"]["name"]),
        ("average", settings["average"]["name"]),
    )


def training_code(settings: dict[str, Any]) -> str:
    """The fingerprint of all code that decides a cell's numbers."""
    return fingerprint("phase2.train.loop", "phase2.task.opening", components=components_of(settings))


def prepared_by(dataset: str) -> dict[str, str | None]:
    """What a data set is prepared by: the fingerprint of the code, and the content of the user's own folder, if it is
    made from one.
    """
    return {"code": fingerprint(components=(("dataset", dataset),)), "content": content_of(dataset)}


def dataset_code(dataset: str) -> str:
    """Both in one fingerprint."""
    code, content = prepared_by(dataset).values()
    return sha256_text(f"{code} {content}")[:12] if content else str(code)

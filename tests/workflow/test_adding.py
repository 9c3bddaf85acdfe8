"""What CONTRIBUTING says under "How to add": a file of each kind and a folder are all there is to it, what is finished
stays, and the smoke grid runs with them.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from checkout import Checkout
from pdf import words_of

from phase2.registry import ROOMS

# What a plan lists if it computes anything again; the report's words and the record of the run may be written anew.
AGAIN = re.compile(r"^(?:train|probe|prepare|figure|aggregate|analyse|derive)\w* .*$", re.MULTILINE)
CODE = {  # of each kind, what a file of one has besides its card
    "activation": "from torch.nn import Tanh as New",
    "norm": "def New(features, *, images=False, backend='scratch'):\n    return torch.nn.Identity()",
    "init": "from phase2.nn.initial.xavier import xavier as New",
    "schedule": "def New(step, total, lr):\n    return lr / (1 + step)",
    "optimizer": "from phase2.optim.sgd import SGD as New",
    "model": "from phase2.models.mlp import mlp as New",
    "augmentation": "def New(images, targets, draws):\n    return images.flip(-1), targets",
    "tta": "def New(network, images):\n    return network(images.flip(-1))",
    "average": "from phase2.train.averages.ema import Ema as New",
    "dataset": "from phase2.data.sets.digits import SOURCE as SOURCE, prepare_digits as New",
    "task": "from dataclasses import replace\nfrom phase2.task.images import open_images\n"
    "from phase2.task.task import Metric\n\n"
    "def New(prepared, validation, train, device, augment='none', tta='none'):\n"
    "    images = open_images(prepared, validation, train, device, augment=augment, tta=tta)\n"
    "    return replace(images, metrics=(Metric.named('new_metric'),))",
    "logger": "from phase2.train.logs.csv import Csv as New",
    "metric": "def New(outputs, targets):\n    return (outputs.argmax(-1) != targets).sum()",
}
TRAITS: dict[str, dict[str, Any]] = {
    "dataset": {"holds": "images"},
    "task": {"metrics": ("new_metric",)},
    "metric": {"better": "lower", "unit": "%", "chance": 0.9},
}
FIGURE = """
from matplotlib.figure import Figure
from phase2.card import FigureCard

CARD = FigureCard(("{table}",), "All of a new figure of {table}.")

def {name}(*, {table}):
    figure = Figure()
    figure.subplots().plot(range(len({table})))
    return figure
"""
PROBE = {
    "card.py": """
from phase2.probe.options import Probe

class Options(Probe):
    tables = ("sizes",)
    inputs = ("runs",)
    study: str
""",
    "measure.py": """
def measure(options, runs):
    rows = [run.axes | {"size": sum(each.numel() for each in run.model.parameters())} for run in runs]
    return {"sizes": runs.table(rows, "size")}
""",
    "draw.py": FIGURE.format(table="sizes", name="new"),
}


def files() -> Iterator[tuple[str, str]]:
    """Each new file's path and content."""
    for kind, room in ROOMS.items():
        card = f'CARD = Card("{kind}", "New", label="newest {kind}", traits={TRAITS.get(kind, {})})'
        text = f"import torch\nfrom phase2.card import Card\n\n{card}\n\n{CODE[kind]}\n"
        yield f"{room.replace('.', '/')}/new_{kind}.py", text
    yield "phase2/figures/newest.py", FIGURE.format(table="ranking", name="newest")
    yield from ((f"phase2/probe/new/{name}", text) for name, text in PROBE.items())


WITH_ALL: dict[str, Any] = {
    "compute": {"logs": ["new_logger"]},
    "studies": {
        "mlp_grid": {
            "task": {"name": "new_task", "dataset": "new_dataset", "augment": "new_augmentation", "tta": "new_tta"},
            "model": {"name": "new_model", "norm": "new_norm"},
            "optimizer": {"name": "new_optimizer"},
            "average": {"name": "new_average"},
            "axes": {
                **{"activation": ["relu", "new_activation"], "init": ["new_init"]},
                **{"schedule": ["constant", "new_schedule"], "seed": [0]},
            },
            "figures": ["newest"],
        }
    },
    "probes": {
        **dict.fromkeys(["unit_health", "activation_shapes"]),
        "new": {"probe": "new", "question": "How large?", "study": "mlp_grid", "figures": ["new"]},
    },
}


@pytest.fixture
def grown(project: Checkout) -> Checkout:
    """The finished run with a new file of each kind."""
    (project.folder / "phase2/probe/new").mkdir()
    for name, text in files():
        (project.folder / name).write_text(text)
    return project


def planned(project: Checkout) -> list[str]:
    """The jobs of a plan that computes something again."""
    return AGAIN.findall(project.snakemake("report", "-n").succeeded().output)


def test_new_files_of_every_kind_make_nothing_again_and_run(grown: Checkout):
    assert not planned(grown)
    ran = grown.snakemake("report", config=WITH_ALL).succeeded()
    assert len(list((grown.folder / "logs/smoke").rglob("steps.csv"))) == 4
    assert ran.cells == {"trained": 4, "restored": 0, "diverged": 0, "not finished": 0}
    assert (ran.jobs["figure"], ran.jobs["probe_new"]) == (2, 1)
    text = words_of(grown.folder / "results/smoke/companion.pdf")
    for told in (
        "newest activation",
        "newest metric",
        "All of a new figure of ranking",
        "All of a new figure of sizes",
    ):
        assert told in text


def test_a_new_setting_and_a_label_make_nothing_again(project: Checkout):
    project.edit(
        "phase2/study/training.py",
        "    schedule: Annotated[",
        '    peephole: Annotated[bool, Axis("peephole")] = Field(default=False, description="gates see the cell")\n'
        "    schedule: Annotated[",
    )
    project.edit("phase2/schedules/linear.py", 'label="linear"', 'label="LINEAR"')  # in no figure of this run
    assert not planned(project)

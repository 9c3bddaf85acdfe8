"""The tiny data set, prepared once, and its parts."""

import pytest
from packs import CPU
from tiny import write_tiny

from phase2.data.prepared import Prepared, open_prepared
from phase2.task.images import open_images
from phase2.task.task import Task


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return open_prepared(write_tiny(tmp_path_factory.mktemp("prepared") / "tiny"))


@pytest.fixture(scope="session")
def parts(prepared: Prepared) -> Task:
    """160 images to train on, 40 to validate, 60 to test."""
    return open_images(prepared, 40, None, CPU)

"""The tiny data set, prepared once, and a run's empty folders."""

from pathlib import Path

import pytest
from studies import folders_in
from tiny import write_tiny

from phase2.study import provenance
from phase2.study.pack import Folders


@pytest.fixture(scope="session")
def prepared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("prepared") / "tiny")


@pytest.fixture
def folders(tmp_path: Path, prepared_folder: Path) -> Folders:
    return folders_in(tmp_path, prepared_folder)


@pytest.fixture(autouse=True)
def _clear_commit() -> None:
    provenance.commit.cache_clear()

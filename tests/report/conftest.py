"""A study of a made-up run, as the report reads it."""

import gc

import pandas as pd
import pytest
from finished_run import DATASETS, ENVIRONMENT, make_cells, write_run

from phase2.report.inputs import StudyInputs, read_record


@pytest.fixture
def study_of(tmp_path):
    """Builds the inputs of a study from its axes and the options of `make_cells`."""

    def build(axes: dict, cells: pd.DataFrame | None = None, **options) -> StudyInputs:
        cells = make_cells(axes, **options) if cells is None else cells
        config = write_run(tmp_path / "run", axes, cells, figures=[])
        return read_record(tmp_path / "run", config, DATASETS, ENVIRONMENT).studies[0]

    return build


@pytest.fixture(scope="session", autouse=True)
def small_heap():
    """statsmodels' multipletests collects garbage at each call: keep what pytest has loaded out of it."""
    gc.freeze()
    yield
    gc.unfreeze()

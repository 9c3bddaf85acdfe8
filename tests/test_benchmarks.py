"""Every measurement of benchmarks/ runs, at its tiny sizes: what it measures then means nothing."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from phase2.bench import load_measurement, measure, measurements
from phase2.run.config import load
from phase2.source import ROOT


@pytest.mark.parametrize("path", measurements().values(), ids=measurements())
def test_a_measurement_runs(path: Path):
    figures = measure(path, tiny=True)
    assert figures
    assert all(figure.values for figure in figures)
    assert len({figure.name for figure in figures}) == len(figures)


def test_each_stage_of_the_pipeline_is_a_configuration_with_more_in_it_than_the_one_before(tmp_path: Path):
    pipeline = load_measurement(measurements()["pipeline"])
    shutil.copy(ROOT / "config.yaml", tmp_path)
    chapters = ("optimization", "convolutions")
    overlays = [pipeline._only_the_grid(tmp_path), *(pipeline._without(tmp_path, *chapters[i:]) for i in range(3))]
    stages = [load([tmp_path / "config.yaml", tmp_path / overlay]) for overlay in overlays]
    parts = [{*stage.studies, *stage.probes} for stage in stages]
    assert all(smaller < larger for smaller, larger in pairwise(parts))

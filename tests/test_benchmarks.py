"""Every measurement of benchmarks/ runs, at its tiny sizes: what it measures then means nothing."""

from pathlib import Path

import pytest

from phase2.bench import measure, measurements


@pytest.mark.parametrize("path", measurements().values(), ids=measurements())
def test_a_measurement_runs(path: Path):
    figures = measure(path, tiny=True)
    assert figures
    assert all(figure.values for figure in figures)
    assert len({figure.name for figure in figures}) == len(figures)

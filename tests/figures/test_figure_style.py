"""One look whatever the user's settings, and files that repeat byte for byte."""

import matplotlib
import matplotlib.pyplot
import pytest
from PIL import Image
from synthetic import SMOKE, tables

from phase2.figures.catalog import FIGURES, load
from phase2.figures.style import FULL_WIDTH, MARKERS, PALETTE, save, series


@pytest.fixture(scope="module")
def smoke():
    return tables(SMOKE, seeds=2, epochs=3)


def draw(name, tables):
    return load(name)(**{table: tables[table] for table in FIGURES[name].tables})


@pytest.mark.parametrize("name", ["score_heatmap", "learning_curves", "variance"])
def test_a_figure_drawn_twice_is_saved_as_the_same_bytes(name, smoke, tmp_path):
    first, second = (save(draw(name, smoke), tmp_path / attempt / name) for attempt in ("first", "second"))
    assert [path.name for path in first] == [f"{name}.pdf", f"{name}.png"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_saved_files_are_as_wide_as_the_text_and_keep_text_as_text(smoke, tmp_path):
    pdf, png = save(draw("variance", smoke), tmp_path / "v1.2")
    assert png.name == "v1.2.png"
    with Image.open(png) as image:
        assert image.width == FULL_WIDTH * 200
    content = pdf.read_bytes()
    assert b"CreationDate" not in content
    assert b"/CIDFontType2" in content  # TrueType (type 42), not outlines (type 3)
    assert b"/Type3" not in content


def test_users_settings_neither_reach_a_figure_nor_are_touched(smoke, tmp_path):
    plain = save(draw("pairs", smoke), tmp_path / "plain")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        before = dict(matplotlib.rcParams)
        loud = save(draw("pairs", smoke), tmp_path / "loud")
        assert dict(matplotlib.rcParams) == before
    assert [path.read_bytes() for path in plain] == [path.read_bytes() for path in loud]
    assert matplotlib.pyplot.get_fignums() == []


def test_series_differ_in_more_than_colour():
    looks = [series(index) for index in range(2 * len(PALETTE))]
    assert len({(str(look["linestyle"]), look["marker"]) for look in looks[: len(MARKERS)]}) == len(MARKERS)
    assert len({tuple(map(str, look.values())) for look in looks}) == len(looks)

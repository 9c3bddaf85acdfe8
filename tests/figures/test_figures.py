"""Every figure shows what its tables say, for the whole grid and for the strangest small ones."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import Normalize, to_hex, to_rgba
from matplotlib.text import Text
from scipy.stats import t as student
from synthetic import DESK, SCORE, SMOKE, all_diverged, tables

from phase2.figures.catalog import FIGURES, STUDY, load
from phase2.figures.divergence import divergence
from phase2.figures.learning_curves import learning_curves
from phase2.figures.marks import baseline_line, keys_of_baseline, plain_log
from phase2.figures.pairs import pairs
from phase2.figures.ranking import ranking
from phase2.figures.schedules import schedules
from phase2.figures.score_heatmap import score_heatmap
from phase2.figures.style import PALETTE, blank, styled
from phase2.figures.variance import variance
from phase2.words.levels import SEPARATOR, label, term_label

OF_STUDIES = [name for name, figure in FIGURES.items() if figure.of == STUDY and not figure.needs]


STUDIES = {
    "smoke": lambda: tables(SMOKE, seeds=2, epochs=3),
    "one level": lambda: tables({factor: levels[:1] for factor, levels in SMOKE.items()}, seeds=2),
    "one factor": lambda: tables({"schedule": ["cosine", "step", "mine"]}, seeds=1, epochs=1),
    "four factors": lambda: tables({**SMOKE, "init": ["kaiming"], "depth": [2, 4]}, seeds=2, epochs=3),
    "all diverged": lambda: all_diverged(SMOKE),
}


@pytest.fixture(scope="module")
def desk():
    return tables(DESK, epochs=6)


@pytest.fixture(scope="module")
def desk_without_failures():
    return tables(DESK | {"init": ["xavier", "kaiming", "lsuv"]}, epochs=2)


@pytest.fixture(scope="module")
def desk_curves(desk):
    return learning_curves(**{name: desk[name] for name in ("cells", "curves", "baseline", "score")})


def draw(name, tables):
    return load(name)(**{table: tables[table] for table in FIGURES[name].tables})


def axis_labels(figure):
    """For each axis of the figure, the tick labels that are drawn."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        yield [text for tick in ticks for text in (tick.label1, tick.label2) if drawn(text)]


def drawn(text):
    return text.get_visible() and text.get_text().strip()


def check_every_text_is_inside_and_readable(figure):
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    ticks = [tick for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in axis.get_major_ticks()]
    in_ticks = {id(text) for tick in ticks for text in (tick.label1, tick.label2)}
    free = [text for text in figure.findobj(Text) if drawn(text) and id(text) not in in_ticks]
    for text in [*free, *(text for labels in axis_labels(figure) for text in labels)]:
        box = text.get_window_extent()
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -1, text
        assert text.get_fontsize() >= 7, text


def check_tick_labels_do_not_overlap(figure):
    for labels in axis_labels(figure):
        for one, other in pairwise(text.get_window_extent() for text in labels):
            assert not one.overlaps(other), labels


@pytest.mark.parametrize("name", OF_STUDIES)
def test_the_whole_grid_fits_the_page_without_clipped_small_or_overlapping_text(name, desk):
    figure = draw(name, desk)
    check_every_text_is_inside_and_readable(figure)
    check_tick_labels_do_not_overlap(figure)
    assert figure.get_figheight() <= 8.5


@pytest.mark.parametrize("study", STUDIES)
def test_small_and_broken_studies_are_drawn_without_a_warning(study):
    made = STUDIES[study]()
    before = {name: table.copy() for name, table in made.items()}
    for name in OF_STUDIES:
        check_every_text_is_inside_and_readable(draw(name, made))
    for name, table in made.items():
        pd.testing.assert_frame_equal(table, before[name])  # drawing changes no table


def test_heatmap_writes_the_mean_of_the_finished_seeds_and_their_number(desk):
    figure = score_heatmap(cells=desk["cells"], score=desk["score"])
    groups = desk["cells"].groupby(list(DESK)).val_accuracy
    for axes, schedule in zip(figure.axes, DESK["schedule"], strict=False):
        assert axes.get_title() == label(schedule)
        for text in axes.texts:
            column, row = (int(value) for value in text.get_position())
            seeds = groups.get_group((DESK["activation"][row], DESK["init"][column], schedule))
            counted = "" if seeds.notna().all() else f"\nn={seeds.count()}"
            assert text.get_text() == f"{100 * seeds.mean():.1f}{counted}"
        assert len(axes.texts) == len(DESK["activation"]) * len(DESK["init"])
    first = figure.axes[0]
    assert [tick.get_text() for tick in first.get_yticklabels()] == list(map(label, DESK["activation"]))
    assert [tick.get_text() for tick in first.get_xticklabels()] == list(map(label, DESK["init"]))


def test_heatmap_hatches_partly_diverged_cells_and_crosses_dead_ones():
    made = tables({**SMOKE, "schedule": ["cosine"]}, seeds=2)
    cells = made["cells"]
    cells["status"], cells["val_accuracy"] = "ok", 0.9
    dead = (cells.activation == "relu") & (cells.init == "kaiming")
    partly = (cells.activation == "tanh") & (cells.init == "normal_large") & (cells.seed == 0)
    cells.loc[dead | partly, ["status", "val_accuracy"]] = ["diverged", np.nan]
    axes = score_heatmap(cells=cells, score=made["score"]).axes[0]
    hatched = [patch.get_xy() for patch in axes.patches if patch.get_hatch()]
    grey = [patch.get_xy() for patch in axes.patches if not patch.get_hatch()]
    assert hatched == [(0.5, 0.5)]  # lower right
    assert grey == [(-0.5, -0.5)]  # upper left
    assert axes.collections[0].get_offsets().tolist() == [[0, 0]]


def test_learning_curves_are_means_over_seeds_with_their_t_interval(desk, desk_curves):
    panels = iter(desk_curves.axes)
    validation = desk["curves"][desk["curves"].split == "val"]
    for activation in DESK["activation"]:
        for schedule in DESK["schedule"]:
            axes = next(panels)
            here = validation[(validation.activation == activation) & (validation.schedule == schedule)]
            for init, line in zip(DESK["init"], axes.lines[:-1], strict=True):
                mean = 100 * here[here.init == init].groupby("epoch").accuracy.mean()
                np.testing.assert_array_equal(line.get_xdata(), mean.index)
                np.testing.assert_allclose(line.get_ydata(), mean)
    sigmoid = validation[(validation.activation == "sigmoid") & (validation.schedule == "one_cycle")]
    last = 100 * sigmoid[(sigmoid.init == "xavier") & (sigmoid.epoch == 6)].accuracy
    half = student.ppf(0.975, 4) * last.std() / np.sqrt(5)
    band = axes.collections[0].get_paths()[0].vertices
    ends = band[band[:, 0] == 6][:, 1]
    np.testing.assert_allclose([ends.min(), ends.max()], [last.mean() - half, last.mean() + half])


def test_learning_curves_mark_where_each_diverged_cell_ended(desk, desk_curves):
    dots = [d for axes in desk_curves.axes for d in axes.collections if isinstance(d, PathCollection)]
    crosses = np.concatenate([d.get_offsets() for d in dots])
    curves = desk["curves"][desk["curves"].split == "val"].set_index("id")
    diverged = desk["cells"][desk["cells"].status == "diverged"].id
    ends = [curves.loc[[i]].epoch.max() if i in curves.index else 0 for i in diverged]
    assert sorted(crosses[:, 0]) == sorted(ends)


def test_schedules_are_the_function_as_a_line_and_the_record_as_dots(desk):
    figure = schedules(schedules=desk["schedules"], curves=desk["curves"])
    for axes, schedule in zip(figure.axes, DESK["schedule"], strict=True):
        line, dots = axes.lines
        function = desk["schedules"][desk["schedules"].schedule == schedule]
        recorded = desk["curves"][desk["curves"].schedule == schedule]
        assert axes.get_title() == label(schedule)
        np.testing.assert_array_equal(line.get_xydata(), function[["step", "lr"]])
        assert set(map(tuple, dots.get_xydata())) == set(zip(recorded.step, recorded.lr, strict=True))
        assert (line.get_marker(), dots.get_linestyle()) == ("None", "None")


def test_ranking_shows_the_best_15_how_far_they_are_behind_and_every_level(desk):
    figure = ranking(ranking=desk["ranking"], levels=desk["levels"], score=desk["score"])
    table = desk["ranking"][desk["ranking"].measure == "val_accuracy"][:15]
    names = [f"{row['rank']}. " + SEPARATOR.join(label(row[f]) for f in DESK) for _, row in table.iterrows()]
    scores, behind, *factors = figure.axes
    assert [tick.get_text() for tick in scores.get_yticklabels()] == names
    for axes, kinds in ((scores, ["mean", "low", "high"]), (behind, ["behind", "behind_low", "behind_high"])):
        segments, dots = axes.collections
        np.testing.assert_allclose(dots.get_offsets()[:, 0], 100 * table[kinds[0]])
        np.testing.assert_allclose([ends[:, 0] for ends in segments.get_segments()], 100 * table[kinds[1:]])
    filled = [tuple(face) != to_rgba("white") for face in behind.collections[1].get_facecolors()]
    assert filled == table.may_be_best.tolist()
    failed = desk["levels"].groupby("level").failed.first()
    shown = [[tick.get_text() for tick in axes.get_yticklabels()] for axes in factors]
    assert shown == [
        [label(level) + (f" ({failed[level]} failed)" if failed[level] else "") for level in levels]
        for levels in DESK.values()
    ]


def test_variance_bars_are_shares_in_percent(desk_without_failures):
    table, score = desk_without_failures["variance"], desk_without_failures["score"]
    figure = variance(variance=table, score=score)
    for axes, (_, part) in zip(figure.axes, table.groupby("measure", sort=False), strict=True):
        np.testing.assert_allclose([bar.get_width() for bar in axes.patches], 100 * part.share)
        assert [text.get_text() for text in axes.texts] == [f"{100 * share:.1f}" for share in part.share]
    shown = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert shown == [term_label(term) for term in part.term]
    check_every_text_is_inside_and_readable(figure)


def test_shares_that_cannot_be_told_are_a_dash_and_a_sentence_where_all_are(desk_without_failures):
    table, score = desk_without_failures["variance"], desk_without_failures["score"]
    figure = variance(variance=table.assign(share=table.share.where(table.measure == "curve_area")), score=score)
    assert {text.get_text() for text in figure.axes[0].texts} == {"–"}
    figure = variance(variance=table.assign(share=np.nan), score=score)
    assert figure.texts[0].get_text().startswith("shares of the variance cannot be told")


def test_divergence_counts_seeds_and_leaves_unknown_combinations_blank(desk):
    table = desk["divergence"].iloc[1:]  # relu, xavier, constant was never run
    figure = divergence(divergence=table)
    counts = table.set_index(list(DESK))
    panels = iter(figure.axes)
    for fate in ("diverged", "stuck"):
        for schedule in DESK["schedule"]:
            axes = next(panels)
            for text in axes.texts:
                column, row = (int(value) for value in text.get_position())
                count = counts.loc[(DESK["activation"][row], DESK["init"][column], schedule), fate]
                assert text.get_text() == (str(count) if count else "·")
            assert len(axes.texts) == 30 - (schedule == "constant")


def test_pairs_fill_exactly_the_differences_that_survive_holm(desk):
    figure = pairs(pairs=desk["pairs"], score=desk["score"])
    groups = desk["pairs"][desk["pairs"].measure == "val_accuracy"].groupby("factor", sort=False)
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    for axes, (factor, table) in zip(figure.axes, groups, strict=True):
        dots = axes.collections[1]
        np.testing.assert_allclose(dots.get_offsets()[:, 0], 100 * table.difference)
        expected = [PALETTE[0] if p < 0.05 else to_hex("white") for p in table.p_holm]
        assert [to_rgba(face) for face in expected] == [tuple(face) for face in dots.get_facecolors()]
        assert axes.get_title(loc="left") == label(factor)
        rows = [tick.get_text() for tick in axes.get_yticklabels()]
        assert rows == [f"{label(a)} − {label(b)}" for a, b in zip(table.a, table.b, strict=True)]


def test_axes_show_the_end_of_every_training_and_its_differences():
    made = tables({"activation": ["relu", "tanh"], "init": ["kaiming"]}, epochs=12)
    axes = learning_curves(**{name: made[name] for name in ("cells", "curves", "baseline", "score")}).axes[0]
    curves = made["curves"][made["curves"].split == "val"]
    low, high = axes.get_ylim()
    late = 100 * curves[curves.epoch >= 4].accuracy
    assert low < late.min() < late.max() < high
    assert low > 100 * curves[curves.epoch == 1].accuracy.max()


def test_maps_have_one_linear_scale_that_outliers_do_not_stretch():
    made = tables({"activation": ["relu", "leaky_relu", "gelu", "silu"], "init": ["kaiming", "xavier"]})
    cells = made["cells"]
    cells.loc[(cells.activation == "silu") & (cells.init == "xavier"), "val_accuracy"] = 0.1
    image = score_heatmap(cells=cells, score=made["score"]).axes[0].images[0]
    values = np.asarray(image.get_array())
    assert type(image.norm) is Normalize
    assert image.norm.vmax == values.max()
    assert image.norm.vmin == np.sort(values, axis=None)[1] > 80


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.9), (0.02, 1.5), (1e-6, 0.5), (1e-9, 1e4)])
@styled
def test_ticks_of_logarithmic_axes_do_not_touch(low, high):
    figure = blank(1.7)
    axes = figure.subplots()
    axes.plot([0, 1], [low, high])
    plain_log(axes)
    figure.draw_without_rendering()
    check_tick_labels_do_not_overlap(figure)
    assert sum(map(len, axis_labels(figure))) >= 3


@pytest.mark.parametrize(("score", "drawn"), [(0.93, "93.0"), (0.5, "50.0 ↓"), (0.99, "99.0 ↑")])
def test_the_linear_baseline_is_a_line_named_in_the_legend_and_moves_no_axis(score, drawn):
    axes = blank(2).subplots()
    axes.set_ylim(90, 95)
    baseline = pd.DataFrame({"model": ["majority", "logistic"], "val_score": [0.1, score], "test_score": [0.1, 0.9]})
    baseline_line(axes, baseline, SCORE)
    baseline_line(axes, baseline.iloc[:0], SCORE)
    keys = [*keys_of_baseline(axes, baseline, SCORE), *keys_of_baseline(axes, baseline.iloc[:0], SCORE)]
    assert [key.get_label() for key in keys] == [f"logistic regression {drawn}"]
    assert not axes.texts
    assert [line.get_ydata()[0] for line in axes.lines] == ([93] if score == 0.93 else [])
    assert axes.get_ylim() == (90, 95)

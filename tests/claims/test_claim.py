"""A claim is supported, denied, or cannot be said; a false one that is planted is denied."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from phase2.claims import Evidence, Results, all_of, claim
from phase2.errors import UserError
from phase2.study.score import Score

pytestmark = pytest.mark.quick

SCORE = Score("accuracy", "accuracy", "%", "higher", 0.1, "nats")


def results(seeds: int = 8, gain: float = 0.02, noise: float = 0.005, baseline: float = 0.7) -> Results:
    """A study of two models, of which `b` is better by `gain`, at two rates, of which 0.1 is the better."""
    draw, rows = np.random.default_rng(1), []
    for seed in range(seeds):
        common = draw.normal(0, 0.02)
        for model, lr in ((m, r) for m in "ab" for r in (0.1, 1.0)):
            value = 0.8 + gain * (model == "b") - 0.1 * (lr == 1.0) + common + draw.normal(0, noise)
            rows.append({"seed": seed, "model": model, "lr": lr, "status": "ok", "val_accuracy": value, "steps": 100})
    cells = pd.DataFrame(rows).assign(test_accuracy=lambda table: table["val_accuracy"] + 0.001)
    linear = pd.DataFrame({"model": ["majority", "logistic"], "val_score": [0.1, baseline]})
    axes = {"model": ["a", "b"], "lr": [0.1, 1.0], "seed": list(range(seeds))}
    return Results("two_models", {"cells": cells, "baseline": linear}, axes, SCORE, images=1000, steps=100)


@claim()
def b_beats_a(study: Results) -> Evidence:
    """Model b is more accurate
    than model a."""
    gap = study.difference("model", "b", "a")
    return Evidence(gap.above(), gap=gap)


@claim()
def a_beats_b(study: Results) -> Evidence:
    """Planted: model a is more accurate than model b."""
    gap = study.difference("model", "a", "b")
    return Evidence(gap.above(), gap=gap)


def test_a_true_claim_is_supported_and_the_planted_one_denied():
    assert b_beats_a.judge(results()).verdict == "supported"
    assert a_beats_b.judge(results()).verdict == "denied"


def test_a_claim_is_named_by_its_function_and_says_its_sentence_in_one_line():
    assert b_beats_a.name == "b beats a"
    assert b_beats_a.sentence == "Model b is more accurate than model a."


def test_the_seeds_common_part_does_not_count_since_differences_are_paired():
    gap = b_beats_a.judge(results()).evidence.numbers["gap"]
    assert gap.value == pytest.approx(0.02, abs=0.005)
    assert gap.high - gap.low < 0.02  # seeds alone scatter by 0.02
    assert gap.unit == "points"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"seeds": 9}, "needs 9 seeds, has 8"),
        ({"images": 10_000}, "needs 10,000 images, has 1,000"),
        ({"steps": 200}, "needs 200 steps, has 100"),
    ],
)
def test_a_need_that_is_not_met_is_named_and_the_criterion_is_not_looked_at(asked, why):
    def never(study: Results) -> Evidence:
        raise AssertionError

    judged = claim(**asked)(never).judge(results())
    assert (judged.verdict, judged.why, judged.evidence) == ("cannot say", why, None)


def test_networks_that_lose_to_logistic_regression_say_nothing():
    judged = b_beats_a.judge(results(baseline=0.9))
    assert judged.verdict == "cannot say"
    assert "logistic regression" in judged.why
    assert claim(beats_linear=False)(b_beats_a.criterion).judge(results(baseline=0.9)).verdict == "supported"


def test_nothing_is_said_where_nothing_differs():
    assert b_beats_a.judge(results(gain=0.0, noise=0.02)).verdict == "cannot say"


def test_a_criterion_without_room_cannot_be_said():
    """Seven seeds of eight speak for it: a draw that leaves some of them out would not."""

    @claim()
    def barely(study: Results) -> Evidence:
        """At least seven seeds of eight are above 0.79."""
        return Evidence(bool((study.by_seed("val_accuracy", model="a", lr=0.1) > threshold).sum() >= 7))

    threshold = results().by_seed("val_accuracy", model="a", lr=0.1).sort_values().iloc[0] + 1e-9
    judged = barely.judge(results())
    assert judged.verdict == "cannot say"
    assert judged.room is not None
    assert judged.room < 0.95
    assert re.fullmatch(r"supported, but in only \d+% of resamplings of the seeds, and 95% are needed", judged.why)


def test_the_best_rate_is_chosen_on_validation_for_each_model():
    best = results().at_best("lr")
    assert set(best.cells["lr"]) == {0.1}
    assert list(best.axes) == ["model", "seed"]


def test_a_study_of_one_setting_is_at_its_best():
    cells = results().rows(model="a", lr=0.1)
    one = Results("one", {"cells": cells}, {"seed": results().axes["seed"]}, SCORE)
    assert one.at_best() is one


def test_a_level_at_which_a_seed_failed_is_not_chosen():
    study = results()
    cells = study.tables["cells"]
    cells.loc[(cells["seed"] == 3) & (cells["lr"] == 0.1), "val_accuracy"] = np.nan
    assert set(study.at_best("lr").cells["lr"]) == {1.0}


def test_a_resampling_draws_whole_seeds_and_leaves_what_has_none():
    study = results()
    drawn = study.resampled(study.draw(np.random.default_rng(0)))
    assert drawn.seeds == study.seeds
    assert len(drawn.cells) == len(study.cells)
    known = {tuple(rows) for _, rows in study.cells.groupby("seed")["val_accuracy"]}
    assert {tuple(rows) for _, rows in drawn.cells.groupby("seed")["val_accuracy"]} < known
    assert drawn.table("baseline").equals(study.table("baseline"))


def test_draws_of_the_same_seeds_are_the_same_draw_and_judged_once():
    study = results()
    rng = np.random.default_rng(0)
    places = {places for _ in range(20) for places in study.draw(rng).values()}
    assert all(list(each) == sorted(each) and len(each) == len(study.seeds) for each in places)
    asked = []

    @claim()
    def counted(study: Results) -> Evidence:
        """Something is so."""
        asked.append(study)
        return Evidence(True)

    few = study.tables["cells"].query("seed < 2")
    assert counted.judge(replace(study, tables={"cells": few})).verdict == "cannot say"  # it needs five seeds
    two = claim(seeds=2, beats_linear=False)(counted.criterion)
    asked.clear()
    assert two.judge(replace(study, tables={"cells": few})).room == 1
    assert len(asked) == 1 + 3  # of two seeds there are three draws


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(UserError, match=r"val_acuracy.*val_accuracy"):
        results().rows(val_acuracy=1)


def test_a_table_of_fewer_seeds_is_resampled_from_its_own():
    few = pd.DataFrame({"seed": range(5), "value": range(5)})
    both = Results("two", {"many": results().cells, "few": few})
    drawn = both.resampled(both.draw(np.random.default_rng(0)))
    assert drawn.table("few")["seed"].tolist() == [0, 1, 2, 3, 4]
    assert set(drawn.table("few")["value"]) <= set(range(5))
    assert drawn.table("many")["seed"].nunique() == 8


def test_names_that_are_not_there_are_told_alike_whatever_is_asked():
    asked = (
        lambda study: study.mean("val_acuracy"),
        lambda study: study.difference("model", "b", "a", "val_acuracy"),
        lambda study: study.at_best("val_acuracy"),
        lambda study: study.best_level("val_acuracy"),
    )
    for ask in asked:
        with pytest.raises(UserError, match="did you mean 'val_accuracy'"):
            ask(results())


def test_what_a_claim_does_to_a_table_no_other_sees():
    study = results()
    cells = study.cells
    cells["test_accuracy"] *= 100
    assert study.cells["test_accuracy"].max() < 1


def test_the_best_of_several_is_enclosed_only_where_each_has_worse_on_either_side():
    cells = pd.DataFrame([(seed, model, lr) for seed in range(5) for model in "ab" for lr in (0.1, 1.0, 10.0)])
    cells.columns = ["seed", "model", "lr"]
    inside = (cells["model"] == "a") & (cells["lr"] == 1.0) | (cells["model"] == "b") & (cells["lr"] == 10.0)
    cells = cells.assign(val_accuracy=0.5 + 0.3 * inside, status="ok")
    study = Results("two", {"cells": cells}, {"model": ["a", "b"], "lr": [0.1, 1.0, 10.0]}, SCORE)
    assert study.encloses_best("lr", {"model": "a"}) is True
    why = "the best learning rate at network b is the largest tried, 10"
    assert study.encloses_best("lr", {"model": "b"}) == why
    assert study.encloses_best("lr", {"model": "a"}, {"model": "b"}) == why
    assert Evidence(all_of(True, study.encloses_best("lr", {"model": "b"}))).why == why

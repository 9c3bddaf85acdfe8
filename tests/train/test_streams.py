"""Randomness by name and position: paired by design."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packs import CPU, LANES, recipe, train

from phase2.data.prepared import Prepared
from phase2.task.images import open_images
from phase2.task.order import epoch_order, steps_per_epoch
from phase2.task.seeding import generator
from phase2.train import loop

places = st.tuples(
    st.integers(0, 2**40),
    st.sampled_from(["init", "data", "augment", "dropout"]),
    st.lists(st.integers(0, 10**6), max_size=3).map(tuple),
)


def draw(place: tuple) -> list[int]:
    seed, stream, position = place
    return torch.randint(2**62, (4,), generator=generator(seed, stream, *position)).tolist()


@settings(deadline=None)
@given(places, places)
def test_a_stream_repeats_and_differs_by_seed_name_and_position(one: tuple, other: tuple):
    assert (draw(one) == draw(other)) == (one == other)


def test_a_stream_is_pinned():
    """If this value changes, every published result does."""
    assert torch.randint(10**6, (3,), generator=generator(0, "data", 1)).tolist() == [89039, 241990, 835034]


def test_drawing_from_a_stream_leaves_the_global_generator_alone():
    before = torch.random.get_rng_state()
    torch.rand(3, generator=generator(0, "init"))
    assert torch.equal(torch.random.get_rng_state(), before)


@settings(deadline=None)
@given(size=st.integers(1, 300), seed=st.integers(0, 99), epoch=st.integers(0, 99), batch=st.integers(1, 64))
def test_an_epoch_visits_every_row_once(size: int, seed: int, epoch: int, batch: int):
    order = epoch_order(size, seed, epoch)
    assert sorted(order.tolist()) == list(range(size))
    assert len(order.split(batch)) == steps_per_epoch(size, batch)


def test_epochs_and_seeds_have_orders_of_their_own():
    orders = {tuple(epoch_order(50, seed, epoch).tolist()) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9


def test_cells_of_one_seed_see_the_same_batches(prepared: Prepared, tmp_path, monkeypatch):
    parts = open_images(prepared, 40, None, CPU)
    visited: list[list[int]] = []
    step = loop.Training.step
    monkeypatch.setattr(loop.Training, "step", lambda self, rows: (visited.append(rows.tolist()), step(self, rows)))

    def visits(name: str, lanes: list, **changes) -> list[list[int]]:
        visited.clear()
        train(recipe(epochs=2, **changes), lanes, parts, tmp_path / name)
        return visited.copy()

    first = visits("first", LANES)
    other = visits("other", LANES[1:], activation="relu", depth=1, optimizer="adam", optimizer_options={})
    assert first == other
    assert sorted(row for rows in first[:5] for row in rows) == list(range(160))
    assert visits("seed", LANES, seed=4) != first

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.task import Example
from accordeur.levers.few_shot.search import neighbour
from accordeur.parts.demonstrations.draw import stratified_draw


@st.composite
def train_rows(draw: st.DrawFn) -> list[Example]:
    """Up to 30 rows of up to 4 labels in up to 20 groups."""
    drawn = draw(
        st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 19)), min_size=1, max_size=30)
    )
    return [
        Example(f"r{number:02}", f"text {number}", (label,), f"g{group}")
        for number, (label, group) in enumerate(drawn)
    ]


SEEDS = st.integers(0, 2**16)


@given(train_rows(), st.integers(1, 20), SEEDS)
def test_a_draw_has_k_rows_or_one_of_every_group(rows: list[Example], k: int, seed: int) -> None:
    drawn = stratified_draw(rows, k, "labels", np.random.default_rng(seed))
    assert len(drawn) == min(k, len({row.group for row in rows}))
    assert len({row.group for row in drawn}) == len(drawn)
    assert all(row in rows for row in drawn)


@given(train_rows(), st.integers(1, 20), SEEDS)
def test_labels_are_as_even_as_the_data_allows(rows: list[Example], k: int, seed: int) -> None:
    single = [Example(row.id, row.input, row.expected, row.id) for row in rows]
    drawn = stratified_draw(single, k, "labels", np.random.default_rng(seed))
    have = Counter(row.label for row in single)
    counts = Counter(row.label for row in drawn)
    most = max(counts.values())
    for label, available in have.items():
        assert counts[label] >= min(available, most - 1)


@given(train_rows(), st.integers(1, 20), SEEDS)
def test_a_draw_depends_on_the_seed_and_not_on_the_order_of_rows(
    rows: list[Example], k: int, seed: int
) -> None:
    first = stratified_draw(rows, k, "labels", np.random.default_rng(seed))
    assert stratified_draw(rows[::-1], k, "labels", np.random.default_rng(seed)) == first


def test_other_seeds_give_other_draws() -> None:
    rows = [Example(f"r{i}", "x", ("a",), str(i)) for i in range(50)]
    draws = {
        tuple(row.id for row in stratified_draw(rows, 5, "labels", np.random.default_rng(seed)))
        for seed in range(20)
    }
    assert len(draws) == 20


def test_rows_without_an_answer_are_never_drawn() -> None:
    rows = [Example(str(i), "x", None if i % 2 else ("a",), str(i)) for i in range(10)]
    drawn = stratified_draw(rows, 9, "labels", np.random.default_rng(0))
    assert sorted(int(row.id) for row in drawn) == [0, 2, 4, 6, 8]


def test_text_rows_are_one_stratum() -> None:
    rows = [Example(str(i), "x", (f"answer {i}", "other"), str(i)) for i in range(10)]
    assert len(stratified_draw(rows, 4, "text", np.random.default_rng(0))) == 4


@given(train_rows(), st.integers(1, 8), SEEDS)
def test_a_move_changes_the_order_or_one_row_of_the_same_label(
    rows: list[Example], k: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    chosen = stratified_draw(rows, k, "labels", rng)
    moved = neighbour(chosen, rows, "labels", rng)
    assert len(moved) == len(chosen)
    assert len({row.group for row in moved}) == len(moved)
    exchanged = [(old, new) for old, new in zip(chosen, moved, strict=True) if old != new]
    if {row.id for row in moved} == {row.id for row in chosen}:
        assert moved != chosen or len(chosen) == 1
    else:
        assert len(exchanged) == 1
        assert exchanged[0][0].label == exchanged[0][1].label


@given(train_rows(), SEEDS)
def test_moves_repeat_with_their_seed(rows: list[Example], seed: int) -> None:
    chosen = stratified_draw(rows, 4, "labels", np.random.default_rng(0))
    one = neighbour(chosen, rows, "labels", np.random.default_rng(seed))
    assert neighbour(chosen, rows[::-1], "labels", np.random.default_rng(seed)) == one


def test_a_text_row_is_exchanged_for_any_other() -> None:
    rows = [Example(str(i), "x", (f"answer {i}",), str(i)) for i in range(6)]
    seen: set[str] = set()
    for seed in range(40):
        moved = neighbour(rows[:1], rows, "text", np.random.default_rng(seed))
        seen.add(moved[0].id)
    assert seen == {"1", "2", "3", "4", "5"}

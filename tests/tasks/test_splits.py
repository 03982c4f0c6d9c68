from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.core.task import Example
from accordeur.tasks.splits import (
    PROPORTIONS,
    SMALL_PROPORTIONS,
    draw,
    fixed_order,
    question_key,
    take,
)


def example(name: str, label: str = "a", group: str = "", text: str = "") -> Example:
    return Example(id=name, input=text or f"text {name}", expected=(label,), group=group or name)


@st.composite
def tasks(draw_from: st.DrawFn) -> list[Example]:
    """Up to 120 rows, some grouped, some with the same question."""
    count = draw_from(st.integers(60, 120))
    groups = draw_from(st.integers(20, 200))
    texts = draw_from(st.integers(30, 300))
    labels = draw_from(st.integers(1, 8))
    pick = random.Random(draw_from(st.integers(0, 10**6)))
    return [
        example(
            f"row-{number}",
            f"label {pick.randrange(labels)}",
            f"group {pick.randrange(groups)}",
            f"text {pick.randrange(texts)}",
        )
        for number in range(count)
    ]


@settings(max_examples=60, deadline=None)
@given(tasks(), st.integers(0, 1000), st.booleans())
def test_every_row_once_and_nothing_that_belongs_together_apart(
    rows: list[Example], seed: int, stratify: bool
) -> None:
    try:
        splits = draw(rows, PROPORTIONS, seed=seed, stratify=stratify)
    except TaskError:
        # So few groups and questions that all rows hang together.
        return
    assert sorted(row.id for split in splits.values() for row in split) == sorted(
        row.id for row in rows
    )
    assert all(splits.values())
    places = defaultdict(set)
    for name, split in splits.items():
        for row in split:
            places["group", row.group].add(name)
            places["question", question_key(row)].add(name)
    assert all(len(names) == 1 for names in places.values())


@settings(max_examples=40, deadline=None)
@given(tasks(), st.integers(0, 1000), st.randoms())
def test_the_order_of_the_file_changes_nothing(
    rows: list[Example], seed: int, shuffler: random.Random
) -> None:
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    try:
        expected = draw(rows, PROPORTIONS, seed=seed, stratify=True)
    except TaskError:
        return
    assert draw(shuffled, PROPORTIONS, seed=seed, stratify=True) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(2, 60), min_size=1, max_size=12).filter(lambda sizes: sum(sizes) >= 60),
    st.integers(0, 1000),
)
def test_shares_hold_over_all_rows_and_within_each_label(sizes: list[int], seed: int) -> None:
    rows = [
        example(f"{label}-{number}", f"label {label}")
        for label, size in enumerate(sizes)
        for number in range(size)
    ]
    splits = draw(rows, PROPORTIONS, seed=seed, stratify=True)
    for name, share in PROPORTIONS.items():
        assert abs(len(splits[name]) - share * len(rows)) <= 2
        counts = Counter(row.label for row in splits[name])
        for label, size in enumerate(sizes):
            assert abs(counts[f"label {label}"] - share * size) <= 2
    assert len({row.label for row in splits["train"]}) == len(sizes)


def test_groups_of_one_size_keep_the_shares() -> None:
    rows = [example(f"{group}-{n}", "a", f"g{group}") for group in range(50) for n in range(20)]
    splits = draw(rows, PROPORTIONS, seed=3, stratify=False)
    assert {name: len(split) for name, split in splits.items()} == {
        "train": 500,
        "dev": 200,
        "test": 300,
    }


def test_another_seed_draws_other_rows() -> None:
    rows = [example(str(number)) for number in range(100)]
    first, second = (draw(rows, PROPORTIONS, seed=seed, stratify=True) for seed in (0, 1))
    assert first != second
    # About half of 30 held-out rows would be 9 if drawn anew.
    same = {row.id for row in first["test"]} & {row.id for row in second["test"]}
    assert len(same) < 20


def test_every_label_reaches_train_first() -> None:
    rows = [example(f"{label}-{n}", f"label {label}") for label in range(30) for n in range(2)]
    for seed in range(5):
        splits = draw(rows, PROPORTIONS, seed=seed, stratify=True)
        assert len({row.label for row in splits["train"]}) == 30
        assert len(splits["dev"]) >= 10


def test_a_label_of_one_row_goes_to_train() -> None:
    rows = [example(f"common-{n}", "m") for n in range(60)]
    rows += [example(f"rare-{n}", f"{'az'[n % 2]} {n}") for n in range(10)]
    for seed in range(5):
        train = draw(rows, PROPORTIONS, seed=seed, stratify=True)["train"]
        assert sum(row.id.startswith("rare") for row in train) == 10


def test_two_rows_fill_two_splits() -> None:
    splits = draw([example("a"), example("b")], SMALL_PROPORTIONS, seed=0, stratify=False)
    assert [len(split) for split in splits.values()] == [1, 1]


def test_rows_that_all_hang_together_cannot_be_split() -> None:
    rows = [example(str(number), group="one") for number in range(80)]
    with pytest.raises(TaskError, match="80 rows in 1 separable piece cannot be drawn"):
        draw(rows, PROPORTIONS, seed=0, stratify=False)


def test_a_limit_keeps_the_first_rows_of_a_seeded_order() -> None:
    rows = fixed_order(example(str(number)) for number in range(50))
    ten, twenty = take(rows, 10, seed=1), take(rows, 20, seed=1)
    assert {row.id for row in ten} < {row.id for row in twenty}
    assert take(rows, 10, seed=2) != ten
    assert take(rows, None, seed=1) == take(rows, 50, seed=1) == rows
    assert [row for row in rows if row in ten] == list(ten)


def test_the_fixed_order_mixes_a_sorted_file() -> None:
    rows = fixed_order(example(f"{n:03}", "first" if n < 50 else "second") for n in range(100))
    assert 12 <= sum(row.label == "first" for row in rows[:40]) <= 28

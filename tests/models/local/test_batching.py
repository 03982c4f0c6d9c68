from __future__ import annotations

import random

from accordeur.models.local.batching import Work, plan
from accordeur.models.local.fitting import Prompt


def prompts(count: int, seed: int = 0) -> list[Prompt]:
    draw = random.Random(seed)
    return [
        Prompt(
            (1,) * draw.choice((2, 5)),
            tuple(draw.randrange(9) for _ in range(draw.randint(1, 40))),
        )
        for _ in range(count)
    ]


def whole(work: Work) -> list[tuple[int, ...]]:
    return [work.prefix + work.stem + row.tokens for row in work.rows for _ in row.indices]


def test_every_prompt_is_computed_as_it_is() -> None:
    given = prompts(60)
    found: dict[int, tuple[int, ...]] = {}
    for work in plan(given, extra=3, budget=100):
        found.update(zip(work.indices, whole(work), strict=True))
    assert found == {at: prompt.tokens for at, prompt in enumerate(given)}


def test_no_batch_exceeds_the_budget_unless_one_row_does() -> None:
    for work in plan(prompts(60), extra=30, budget=64):
        longest = max(len(row.tokens) for row in work.rows)
        assert len(work.rows) * (longest + 30) <= 64 or len(work.rows) == 1


def test_equal_prompts_are_one_row() -> None:
    same = Prompt((1, 2), (3, 4))
    (work,) = plan([same, same, same], extra=0)
    assert [row.indices for row in work.rows] == [(0, 1, 2)]


def test_rows_with_a_long_common_start_share_it_as_a_stem() -> None:
    passage = tuple(range(100, 300))
    given = [Prompt((1,), (*passage, at, 7)) for at in range(5)] + [Prompt((1,), (5, 6))]
    stems = {work.stem: len(work.rows) for work in plan(given, extra=0)}
    assert stems == {passage: 5, (): 1}


def test_alone_means_one_prompt_per_batch_and_no_stem() -> None:
    passage = tuple(range(100, 300))
    works = plan([Prompt((1,), (*passage, at)) for at in range(5)], extra=0, alone=True)
    assert len(works) == 5
    assert all(work.stem == () and len(work.rows) == 1 for work in works)


def test_the_most_rows_are_kept_to() -> None:
    assert max(len(work.rows) for work in plan(prompts(60), extra=0, most=4)) == 4

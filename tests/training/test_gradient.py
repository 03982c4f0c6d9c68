"""A batch in parts: the same gradient, and no part beyond the budget but a row alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.training.conftest import Context, rows_of

from accordeur.core.candidate import Candidate
from accordeur.models.source import Models
from accordeur.training import gradient
from accordeur.training.full import AllWeights
from accordeur.training.gradient import backward, parts, positions
from accordeur.training.ground import Ground
from accordeur.training.key_values import PrefixTuning
from accordeur.training.lora import LowRank
from accordeur.training.rows import TrainingRow
from accordeur.training.soft_prompt import PromptTuning
from accordeur.training.trainee import Recipe

RECIPES: tuple[Recipe, ...] = (
    AllWeights(),
    LowRank(4, 8.0),
    LowRank(4, 8.0, dora=True),
    PromptTuning("replace", 64),
    PrefixTuning(),
)


@given(
    prefix=some.integers(0, 20),
    lengths=some.lists(some.integers(1, 60), min_size=1, max_size=12),
    most=some.integers(1, 300),
)
def test_parts_hold_all_rows_in_order_and_keep_to_the_budget(
    prefix: int, lengths: list[int], most: int
) -> None:
    batch = [
        TrainingRow((1,) * prefix, (place,) * own, (2,))
        for place, own in enumerate(sorted(lengths), 1)
    ]
    found = parts(batch, most)
    assert [row for part in found for row in part] == batch
    most = max(most, prefix)
    own = [positions(part) - prefix for part in found]
    assert all(size <= most or len(part) == 1 for size, part in zip(own, found, strict=True))
    for one, following in pairwise(found):
        assert positions([*one, following[0]]) - prefix > most, "one more would not have fitted"


@given(
    prefix=some.integers(0, 5000),
    lengths=some.lists(some.integers(1, 600), min_size=1, max_size=16),
)
def test_a_prefix_computed_anew_for_every_part_stays_the_smaller_share(
    prefix: int, lengths: list[int]
) -> None:
    batch = [TrainingRow((1,) * prefix, (1,) * own, (2,)) for own in sorted(lengths)]
    found = parts(batch, 64)
    repeated = (len(found) - 1) * prefix
    assert repeated <= 2 * (positions(batch) - prefix)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_parts_add_up_to_the_gradient_of_the_batch(
    recipe: Recipe, dtype: str, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert candidate.base is not None
    model = Models(dtype=dtype).model(candidate.base)
    trainee = recipe.begin(candidate, Ground.under(candidate, Context(model)), 0)  # type: ignore[arg-type]
    batch = rows_of(trainee)[:7]
    gradients, losses = [], []
    three = positions(batch[:3]) - len(batch[0].prefix)
    for most in (10_000, three):
        monkeypatch.setitem(gradient.MOST_POSITIONS, "cpu", most)
        assert len(gradient.batch_parts(trainee, batch)) == (1 if most > three else 3)
        losses.append(backward(trainee, batch))
        gradients.append({one.name: one.master.grad for one in trainee.moving})
        for one in trainee.moving:
            one.master.grad = None
    whole, summed = gradients
    close = 1e-5 if dtype == "float32" else 0.02
    assert losses[1] == pytest.approx(losses[0], rel=close)
    moved = 0
    for name, expected in whole.items():
        found = summed[name]
        if expected is None or not float(expected.norm()):
            continue
        assert found is not None
        moved += 1
        assert float((found - expected).norm() / expected.norm()) < close, name
    assert moved

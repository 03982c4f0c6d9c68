from __future__ import annotations

import pytest

from accordeur.core.budget import Budget, parse_duration
from accordeur.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400), ("1h30m", 5400), (" 2M ", 120)],
)
def test_a_duration_is_read_as_people_type_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5m", "ten", "5x", "m", "1e3", "nan", "5m-2s"])
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="positive duration") as caught:
        parse_duration(text)
    assert "--budget 10m" in caught.value.hint


def test_an_unlimited_budget_is_never_spent() -> None:
    assert Budget().left is None
    assert not Budget().spent


def test_what_is_left_never_goes_below_nothing() -> None:
    spent = Budget(1.0, started=Budget().started - 5)
    assert spent.elapsed >= 5
    assert spent.left == 0
    assert spent.spent
    assert not Budget(100.0).spent


def test_what_is_reserved_is_not_left() -> None:
    budget = Budget(100.0)
    budget.reserved = 60.0
    assert 39 < (budget.left or 0) <= 40
    assert not budget.spent
    budget.reserved = 100.0
    assert budget.spent
    budget.reserved = 0.0
    assert not budget.spent

"""One primary test on held-out, one Holm family, and nothing decided (P7.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from scipy.stats import binomtest

from accordeur.bench.confirmation import Confirmation, all_pairs, confirm
from accordeur.core.measurement import Measurement
from accordeur.measure.metrics import load_metric

Measured = Callable[..., Measurement]


@pytest.fixture
def confirmed(
    measured: Measured, dev_rows: Callable[[int], Any], brief: Any
) -> Callable[..., Confirmation]:
    def make(
        pick: str | None,
        dev_best: str | None = None,
        *,
        metric: str = "accuracy",
        **scores: Sequence[float | None],
    ) -> Confirmation:
        rows = dev_rows(len(next(iter(scores.values()))))
        named = {
            name.replace("_", "-"): measured(values, split="test")
            for name, values in scores.items()
        }
        return confirm(pick, dev_best, named, rows, load_metric(metric), brief, seed=1)

    return make


def rows(*runs: tuple[int, float]) -> list[float]:
    return [value for count, value in runs for _ in range(count)]


BASE = rows((60, 1.0), (60, 0.0))


@pytest.mark.parametrize(
    ("better", "worse", "outcome"),
    [(30, 5, "confirmed"), (8, 4, "gain not shown"), (4, 24, "contradicted"), (0, 0, None)],
)
def test_the_pick_against_as_is_is_an_exact_mcnemar_test(
    confirmed: Callable[..., Confirmation], better: int, worse: int, outcome: str | None
) -> None:
    pick = rows((worse, 0.0), (60 - worse, 1.0), (better, 1.0), (60 - better, 0.0))
    found = confirmed("x", as_is=BASE, x=pick)
    assert found.primary is not None
    candidate, against, pair = found.primary
    assert (candidate, against, pair.test) == ("x", "as-is", "exact McNemar")
    assert (pair.b, pair.c, pair.n) == (better, worse, 120)
    assert pair.difference == pytest.approx((better - worse) / 120)
    expected = binomtest(better, better + worse).pvalue if better + worse else 1.0
    assert pair.p == pytest.approx(expected)
    assert found.outcome == (outcome or "gain not shown")
    assert found.adjusted == {}, "the primary test is not corrected"


def test_the_others_are_one_holm_family_without_the_pick(
    confirmed: Callable[..., Confirmation],
) -> None:
    others = {
        name: rows((60, 1.0), (gain, 1.0), (60 - gain, 0.0))
        for name, gain in {"best": 20, "u": 7, "v": 6, "w": 2}.items()
    }
    found = confirmed("best", as_is=BASE, **others)
    p = {name: binomtest(0, gain).pvalue for name, gain in {"u": 7, "v": 6, "w": 2}.items()}
    assert found.adjusted == pytest.approx(
        {"u": 3 * p["u"], "v": 2 * p["v"], "w": max(2 * p["v"], p["w"])}
    )
    assert found.against["best"].p == pytest.approx(binomtest(0, 20).pvalue)


def test_when_the_pick_is_as_is_nothing_is_tested_but_the_interval_to_the_best_is_given(
    confirmed: Callable[..., Confirmation],
) -> None:
    other = rows((50, 1.0), (10, 0.0), (20, 1.0), (40, 0.0))
    found = confirmed("as-is", "other", as_is=BASE, other=other)
    assert found.primary is not None
    candidate, against, pair = found.primary
    assert (candidate, against) == ("as-is", "other")
    assert pair.p is None
    assert pair.test == ""
    assert pair.interval is not None
    assert pair.interval.low < pair.difference < pair.interval.high
    assert found.outcome == "not tested"
    assert confirmed("as-is", "as-is", as_is=BASE, other=other).primary is None


def test_without_as_is_or_with_many_missing_rows_nothing_is_tested(
    confirmed: Callable[..., Confirmation],
) -> None:
    assert confirmed("x", x=BASE).outcome == "not tested"
    lossy: list[float | None] = [None, None, None, *BASE[3:]]
    found = confirmed("x", as_is=BASE, x=lossy)
    assert (found.primary, found.outcome) == (None, "not tested")
    found = confirmed("x", as_is=BASE, x=[None, None, *BASE[2:]])
    assert found.primary is not None
    assert found.primary[2].n == 118


def test_scores_and_set_level_metrics_are_tested_by_permutation(
    confirmed: Callable[..., Confirmation],
) -> None:
    pick = rows((60, 1.0), (30, 1.0), (30, 0.0))
    found = confirmed("x", as_is=BASE, x=pick, metric="macro-f1")
    assert found.primary is not None
    assert found.primary[2].test == "paired permutation"
    assert found.outcome == "confirmed"


def test_all_other_pairs_have_intervals_and_no_stars(
    measured: Measured, dev_rows: Callable[[int], Any], brief: Any
) -> None:
    named = {name: measured(rows((n, 1.0), (40 - n, 0.0))) for name, n in (("a", 9), ("b", 20))}
    named["c"] = measured(rows((40, 1.0)))
    pairs = all_pairs(named, dev_rows(40), load_metric("accuracy"), brief, seed=0)
    assert [(pair["a"], pair["b"]) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert pairs[0]["difference"] == pytest.approx((9 - 20) / 40)
    assert all("p" not in pair for pair in pairs)
    assert pairs[0]["interval"]["low"] < pairs[0]["difference"] < pairs[0]["interval"]["high"]

"""Who may win, who is close, and what is picked (P7, 1 to 5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from accordeur.bench.decision import Decision, decide, why_ineligible
from accordeur.bench.entries import Outcome
from accordeur.core.task import Limits
from accordeur.measure.metrics import load_metric

Make = Callable[..., Outcome]


def right(count: int, n: int = 200) -> list[float]:
    """The first `count` rows of `n` are right."""
    return [1.0] * count + [0.0] * (n - count)


@pytest.fixture
def decided(dev_rows: Callable[[int], Any], brief: Any) -> Callable[..., Decision]:
    def make(*outcomes: Outcome, limits: Limits | None = None, seed: int = 3) -> Decision:
        rows = dev_rows(len(outcomes[0].scored[0].measurement.rows))
        metric = load_metric("accuracy")
        return decide(outcomes, rows, metric, brief, limits or Limits(), seed=seed)

    return make


def test_the_cheaper_candidate_wins_within_the_tolerance_and_only_there(
    decided: Callable[..., Decision], entry: Make
) -> None:
    dear = entry("dear", right(160), use=1e-3)
    assert decided(dear, entry("cheap", right(159), use=1e-6)).pick == "cheap"
    assert decided(dear, entry("cheap", right(150), use=1e-6)).pick == "dear"
    assert decided(dear, entry("cheap", right(159), use=2e-3)).pick == "dear"
    wide = Limits(tolerance=0.1)
    assert decided(dear, entry("cheap", right(150), use=1e-6), limits=wide).pick == "cheap"


def test_the_one_off_cost_counts_against_the_volume(
    decided: Callable[..., Decision], entry: Make
) -> None:
    made = entry("made", right(150), make=5.0, use=1e-4, queries=10_000)
    bare = entry("bare", right(150), make=0.0, use=5e-4, queries=10_000)
    assert decided(made, bare).pick == "bare"  # 6.0 against 5.0
    made = entry("made", right(150), make=5.0, use=1e-4, queries=50_000)
    bare = entry("bare", right(150), make=0.0, use=5e-4, queries=50_000)
    assert decided(made, bare).pick == "made"  # 10.0 against 25.0


def test_an_unknown_price_ranks_by_parameters_not_by_money(
    decided: Callable[..., Decision], entry: Make
) -> None:
    decision = decided(entry("a", right(150), use=None), entry("b", right(150), use=1e-9))
    assert decision.selection is not None
    assert decision.selection.ranked_by == "parameters"


def test_the_luck_of_many_configurations_is_removed(
    decided: Callable[..., Decision], entry: Make
) -> None:
    rng = np.random.default_rng(5)
    lucky = {f"try {i}": rng.binomial(1, 0.6, 200).astype(float) for i in range(40)}
    best = max(float(one.mean()) for one in lucky.values())
    honest = entry("honest", right(round(200 * (best - 0.015))), use=1.0)
    decision = decided(entry("lucky", lucky, use=0.0), honest)
    assert decision.selection is not None
    estimates = decision.selection.entries
    assert estimates["lucky"].dev > estimates["honest"].dev
    assert estimates["lucky"].optimism > 0.02
    assert abs(estimates["honest"].optimism) < 0.005
    assert decision.pick == "honest"


@pytest.mark.parametrize(
    ("limits", "cost", "reason"),
    [
        (Limits(latency_p95=0.5), {"p95": 0.51}, "p95 latency 0.51 s is over the limit of 0.5 s"),
        (Limits(cost_per_query=0.01), {"use": 0.02}, "over the limit of 0.01 USD per query"),
        (Limits(cost_per_query=0.01), {"use": None}, "its price per query is unknown"),
        (Limits(latency_p95=0.5), {"p95": None}, "its latency is unknown"),
        (Limits(fit_seconds=60), {"fit": 61.0}, "took 61 s to make; the limit is 60 s"),
        (Limits(language_model=True), {"floor": True}, "floors are excluded"),
    ],
)
def test_each_limit_keeps_an_entry_out_and_says_so(
    decided: Callable[..., Decision],
    entry: Make,
    limits: Limits,
    cost: dict[str, Any],
    reason: str,
) -> None:
    best = entry("best", right(190), **cost)
    second = entry("second", right(100))
    assert reason in why_ineligible(best, limits)
    decision = decided(best, second, limits=limits)
    assert decision.pick == "second"
    assert reason in decision.ineligible["best"]
    assert decision.selection is not None
    assert list(decision.selection.entries) == ["second"]
    assert decided(best, second).pick == "best"


@pytest.mark.parametrize("status", ["cut", "stopped", "failed"])
def test_what_is_not_finished_is_not_recommended(
    decided: Callable[..., Decision], entry: Make, status: str
) -> None:
    ended = entry("ended", right(190), status=status, reason="it ended there")
    decision = decided(ended, entry("whole", right(100)))
    assert decision.pick == "whole"
    assert "it ended there" in decision.ineligible["ended"]


def test_nothing_eligible_is_said_and_nothing_picked(
    decided: Callable[..., Decision], entry: Make
) -> None:
    one = entry("one", right(100), p95=3.0)
    decision = decided(one, limits=Limits(latency_p95=1.0))
    assert decision.pick is None
    assert decision.blocked == "no candidate is eligible"
    assert decision.to_json({"one": one})["pick"] is None


def missing(scores: Sequence[float], rows: Sequence[int]) -> list[float | None]:
    return [None if place in rows else score for place, score in enumerate(scores)]


def test_more_than_2_percent_missing_rows_block_the_verdict(
    decided: Callable[..., Decision], entry: Make
) -> None:
    first = entry("first", missing(right(60, 100), [1, 2]))
    assert decided(first, entry("second", missing(right(50, 100), [2]))).pick == "first"
    decision = decided(first, entry("second", missing(right(50, 100), [3])))
    assert decision.pick is None
    assert decision.blocked == "3 of 100 dev rows were lost to errors for some candidate"


def test_one_entry_that_lost_more_than_2_percent_blocks_the_verdict_too(
    decided: Callable[..., Decision], entry: Make
) -> None:
    decision = decided(
        entry("lossy", missing(right(90, 100), [0, 1, 2])), entry("whole", right(60, 100))
    )
    assert decision.pick is None
    assert decision.blocked == "3 of 100 dev rows were lost to errors for some candidate"


def test_rows_missing_for_one_are_missing_for_all(
    decided: Callable[..., Decision], entry: Make
) -> None:
    decision = decided(
        entry("first", missing(right(60, 100), [0, 1])), entry("second", right(60, 100), use=1.0)
    )
    assert decision.selection is not None
    assert decision.selection.rows == 98
    assert decision.selection.entries["second"].dev == pytest.approx(58 / 98)


def test_a_tie_that_more_rows_could_break_is_too_few_with_the_pick_provisional(
    decided: Callable[..., Decision], entry: Make
) -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.permutation(right(17, 30)) for _ in range(2))
    decision = decided(entry("a", list(a)), entry("b", list(b)), limits=Limits(tolerance=0.0))
    assert decision.selection is not None
    assert decision.selection.word == "tie"
    assert decision.too_few
    assert decision.pick is not None
    assert set(decision.rivals) | {decision.pick} == {"a", "b"}
    assert decision.detectable is not None
    assert decision.gap is not None
    assert decision.detectable > decision.gap


def test_a_clear_winner_is_clear_and_has_no_rivals(
    decided: Callable[..., Decision], entry: Make
) -> None:
    decision = decided(entry("good", right(180)), entry("bad", right(60)))
    assert decision.selection is not None
    assert decision.selection.word == "clear"
    assert decision.selection.sureness == 1.0
    assert decision.rivals == ()
    assert not decision.too_few


def test_a_floor_may_win_and_the_best_language_model_is_named(
    decided: Callable[..., Decision], entry: Make
) -> None:
    floor = entry("floor:words", right(180), floor=True)
    decision = decided(floor, entry("x", right(100)), entry("y", right(120)))
    assert (decision.pick, decision.best_language_model) == ("floor:words", "y")
    assert decided(floor, entry("x", right(190))).best_language_model is None


def test_the_decision_as_written_has_every_number_it_rests_on(
    decided: Callable[..., Decision], entry: Make
) -> None:
    outcomes = [entry("a", right(160), use=1e-3), entry("b", right(159), use=1e-6)]
    decision = decided(*outcomes)
    data: Mapping[str, Any] = decision.to_json({one.stack.name: one for one in outcomes})
    assert decision.selection is not None
    assert data["pick"] == "b"
    assert data["configuration_id"] == "b:only"
    assert data["sureness"] == decision.selection.sureness
    assert data["estimates"]["a"]["dev"] == pytest.approx(0.8)
    assert data["estimates"]["a"]["close"]
    assert "test" not in str(data)


def test_equal_seeds_decide_equally(decided: Callable[..., Decision], entry: Make) -> None:
    rng = np.random.default_rng(2)
    outcomes = [entry(name, list(rng.binomial(1, 0.5, 80).astype(float))) for name in "abc"]
    assert decided(*outcomes) == decided(*outcomes)
    assert decided(*outcomes, seed=4) != decided(*outcomes)

"""The record's own statistics: what picking cost."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.record.peers.table import peers_table
from benchmarks.record.regret import cross_fitted_regret, mean_interval, raw_regret
from benchmarks.record.table import brief, table
from benchmarks.record.tasks import ENTRIES, fixed
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(2, 40))
def test_picking_the_best_of_all_costs_nothing_raw(seed: int, entries: int, rows: int) -> None:
    draws = np.random.default_rng(seed)
    scores = {str(at): draws.integers(0, 2, rows).astype(float) for at in range(entries)}
    best = max(scores, key=lambda name: float(scores[name].mean()))
    assert raw_regret(scores, best) == 0.0
    assert all(raw_regret(scores, name) >= 0.0 for name in scores)
    assert cross_fitted_regret({"a": scores["0"]}, "a", seed=0, halvings=3) == 0.0


def test_luck_counts_in_the_raw_regret_alone() -> None:
    draws = np.random.default_rng(1)
    raw, crossed = [], []
    for task in range(60):
        scores = {str(at): draws.integers(0, 2, 120).astype(float) for at in range(8)}
        raw.append(raw_regret(scores, "0"))
        crossed.append(cross_fitted_regret(scores, "0", seed=task, halvings=20))
    assert np.mean(raw) > 0.04, "the best of eight equal ones looks better than any"
    assert abs(np.mean(crossed)) < 0.015


def test_a_real_difference_counts_in_both() -> None:
    draws = np.random.default_rng(2)
    scores = {
        "worse": (draws.random(400) < 0.6).astype(float),
        "better": (draws.random(400) < 0.8).astype(float),
    }
    gap = scores["better"].mean() - scores["worse"].mean()
    assert cross_fitted_regret(scores, "worse", seed=0) == pytest.approx(gap, abs=0.01)
    assert cross_fitted_regret(scores, "better", seed=0) == pytest.approx(0.0, abs=0.01)


def test_one_row_cannot_be_halved() -> None:
    with pytest.raises(ValueError, match="two rows"):
        cross_fitted_regret({"a": np.ones(1)}, "a", seed=0)


def test_the_interval_of_a_mean_holds_it() -> None:
    values = np.array([0.0, 0.01, 0.05, 0.0, 0.02])
    low, high = mean_interval(values, seed=0)
    assert low < values.mean() < high


def test_tasks_have_names_of_their_own_and_a_hash_that_is_theirs() -> None:
    assert len({one.name for one in ENTRIES}) == len(ENTRIES) == 18
    assert fixed() == fixed()


def test_the_front_page_names_the_best_only_where_it_is_another() -> None:
    result = {"name": "t", "pick": "lora", "word": "clear", "too_few": False, "entries": {}}
    result["entries"] = {"lora": {"test": [1.0, 0.0]}, "as-is": {"test": [0.0, 0.0]}}
    assert "| t | lora | clear | 50.0 | the same | 0.0 |" in brief([result])
    result["entries"] = {"lora": {"test": [1.0, 0.0]}, "full": {"test": [1.0, 1.0]}}
    assert "| t | lora | clear | 50.0 | full 100.0 | 50.0 |" in brief([result])
    assert "long" not in brief([{"name": "long", "not_possible": "no"}])


def test_peers_stand_beside_the_pick_on_the_same_rows() -> None:
    mine = [1.0, 1.0, None, 0.0, 1.0]
    result = {"name": "t", "pick": "lora", "entries": {"lora": {"test": mine}}}
    peer = {"name": "t", "peer": "trl_lora", "test": [0.0, 1.0, 1.0, 0.0, 0.0]}
    text = peers_table([result], {("t", "trl_lora"): peer})
    assert "| t | lora 75.0 | - | 40.0 (+50.0 [+0.0, +100.0]) | - |" in text
    assert peers_table([result], {}) == ""
    refused = {"name": "long", "not_possible": "needs an hour.\n\nhint: --budget 1h"}
    assert peers_table([refused], {}) == ""
    assert "| long | - | not possible: needs an hour. hint: --budget 1h |" in table([refused])
    with pytest.raises(ValueError, match="did not answer the rows"):
        peers_table([result], {("t", "trl_lora"): {**peer, "test": [1.0]}})

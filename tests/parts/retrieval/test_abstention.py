"""The estimate that an answer is right, one promise per test."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from accordeur.core.span import Span
from accordeur.documents.passage import Found, Passage
from accordeur.parts.retrieval.abstention import (
    NAMES,
    Confidence,
    Signals,
    held_out_probabilities,
    learn_confidence,
    signals_of,
    thresholds,
)


def found(score: float, lexical: float | None, dense: float | None) -> Found:
    return Found(Passage(0, Span("a.md", 0, 4), "text"), score, lexical, dense)


def drawn(n: int, seed: int = 0) -> tuple[list[Signals], list[float]]:
    """Rows whose chance to be right is sigmoid(4 (dense - 0.5) * 2 + logprob)."""
    rng = np.random.default_rng(seed)
    signals, right = [], []
    for _ in range(n):
        dense, logprob = float(rng.random()), float(rng.normal())
        p = 1 / (1 + math.exp(-(8 * (dense - 0.5) + logprob)))
        signals.append(Signals(dense=dense, logprob=logprob))
        right.append(float(rng.random() < p))
    return signals, right


def test_signals_come_from_search_and_answer() -> None:
    hits = [found(1.0, math.e - 1, 0.5), found(0.75, None, 0.7)]
    signals = signals_of(
        "How many days", "Ten days", -0.5, hits, "[1] a.md\nTen working days.\n[/1]"
    )
    assert signals.dense == 0.7
    assert signals.lexical == pytest.approx(1.0)
    assert signals.margin == 0.25
    assert signals.logprob == -0.5
    assert signals.support == 1.0
    assert signals.asked == pytest.approx(1 / 3)


def test_what_is_not_known_is_not_zero() -> None:
    signals = signals_of("...", "", math.nan, [], "")
    assert all(getattr(signals, name) is None for name in NAMES)
    assert np.isnan(signals.values()).all()


def test_the_estimate_is_calibrated_on_rows_like_those_it_learned_from() -> None:
    learned = learn_confidence(*drawn(2000))
    assert learned is not None
    signals, right = drawn(4000, seed=1)
    p = learned.probabilities(signals)
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        inside = (p >= low) & (p < low + 0.2)
        assert abs(np.mean(p[inside]) - np.mean(np.array(right)[inside])) < 0.06


def test_it_is_the_minimum_that_another_optimiser_finds() -> None:
    scipy = pytest.importorskip("scipy.optimize")
    signals, right = drawn(60)
    learned = learn_confidence(signals, right)
    assert learned is not None
    x = np.array([one.values() for one in signals])[:, [0, 3]]
    x = (x - x.mean(axis=0)) / x.std(axis=0)

    def loss(w: np.ndarray) -> float:
        z = x @ w[:2] + w[2]
        return float(np.logaddexp(0, z).sum() - np.array(right) @ z + 0.5 * (w[:2] ** 2).sum())

    best = scipy.minimize(loss, np.zeros(3), tol=1e-12).x
    ours = (learned.weights[0], learned.weights[3], learned.bias)
    assert ours == pytest.approx(best, abs=1e-4)


def test_a_signal_that_is_unknown_counts_as_its_mean() -> None:
    learned = learn_confidence(*drawn(60))
    assert learned is not None
    mean = Signals(dense=learned.means[0], logprob=learned.means[3])
    assert learned.probability(Signals()) == pytest.approx(learned.probability(mean))


@pytest.mark.parametrize("right", [[1.0] * 20, [0.0] * 20, [1.0, 0.0]])
def test_nothing_is_learned_from_rows_that_teach_nothing(right: list[float]) -> None:
    assert learn_confidence([Signals(dense=0.5)] * len(right), right) is None


def test_perfectly_separable_rows_give_finite_numbers() -> None:
    signals = [Signals(dense=at / 20) for at in range(20)]
    learned = learn_confidence(signals, [float(at >= 10) for at in range(20)])
    assert learned is not None
    assert learned.probability(Signals(dense=1.0)) > 0.9
    assert max(map(abs, learned.weights)) < 10


def test_it_comes_back_from_json_as_it_was() -> None:
    learned = learn_confidence(*drawn(60))
    assert learned is not None
    assert Confidence.from_json(json.loads(json.dumps(learned.to_json()))) == learned


def test_json_with_a_scale_of_zero_is_refused() -> None:
    learned = learn_confidence(*drawn(60))
    assert learned is not None
    data = learned.to_json()
    data["signals"]["dense"]["scale"] = 0
    with pytest.raises(ValueError, match="positive"):
        Confidence.from_json(data)


def test_the_first_threshold_is_the_one_that_scores_best_on_its_rows() -> None:
    p = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]
    unanswerable = [True, True, False, True, False, False, False, False]
    answered = [0, 0, 0, 0, 1, 1, 0, 1]
    best, fewer, more = thresholds(p, answered, unanswerable)
    assert best == 0.5
    assert fewer == 0.25
    assert more == 0.75


def test_where_abstaining_never_pays_only_a_half_is_tried() -> None:
    assert thresholds([0.2, 0.4, 0.6, 0.8], [1, 1, 1, 1], [False] * 4) == (0.5,)


def test_probabilities_of_rows_not_seen_are_worse_than_of_rows_learned() -> None:
    signals, right = drawn(60)
    learned = learn_confidence(signals, right)
    assert learned is not None
    y = np.array(right)

    def loss(p: np.ndarray) -> float:
        return float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())

    assert loss(held_out_probabilities(signals, right)) > loss(learned.probabilities(signals))

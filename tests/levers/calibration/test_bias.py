"""The two ways of finding a bias, against hand and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad, minimize
from scipy.special import log_softmax, softmax

from accordeur.core.rendering import Request
from accordeur.core.task import Example
from accordeur.levers.calibration.content_free import (
    CONTENT_FREE,
    content_free_bias,
    content_free_rows,
)
from accordeur.levers.calibration.fitted import PENALTY, ROWS, calibration_rows, fitted_bias
from accordeur.parts.prompt import Prompt


def test_the_content_free_bias_by_hand() -> None:
    # Two inputs: p = (0.8, 0.2) and (0.6, 0.4); their mean is (0.7, 0.3).
    scores = [np.log([0.8, 0.2]) - 3.0, np.log([0.6, 0.4]) - 40.0]
    bias = content_free_bias([tuple(row) for row in scores])
    np.testing.assert_allclose(bias, [-math.log(0.7), -math.log(0.3)])


def test_it_cancels_the_prior_it_was_measured_on() -> None:
    scores = np.array([-1.0, -2.0, -7.5])
    np.testing.assert_allclose(softmax(scores + content_free_bias([tuple(scores)])), [1 / 3] * 3)


def test_a_label_that_is_never_expected_gets_a_finite_bias() -> None:
    assert np.isfinite(content_free_bias([(0.0, -5000.0)])).all()


def test_the_inputs_are_those_of_the_paper_and_no_rows_of_the_data() -> None:
    rows = content_free_rows()
    assert [row.input for row in rows] == ["N/A", "", "[MASK]"] == list(CONTENT_FREE)
    assert len({row.group for row in rows}) == 3
    assert all(row.expected is None for row in rows)


def test_where_rows_are_fields_every_field_is_filled_so_a_template_can_print_it() -> None:
    train = [
        Example("a", {"subject": "card", "body": "lost"}, ("x",), "a"),
        Example("b", {"subject": "card", "place": "here"}, ("x",), "b"),
    ]
    prompt = Prompt("Which?", template="{{ subject }}: {{ body }} {{ place }}")
    for row, text in zip(content_free_rows(train), CONTENT_FREE, strict=True):
        assert row.input == {"subject": text, "body": text, "place": text}
        prompt.row(Request.from_example(row))


def objective(bias: np.ndarray, scores: np.ndarray, gold: np.ndarray) -> float:
    log_p = log_softmax(scores + bias, axis=1)
    return float(-log_p[np.arange(len(gold)), gold].sum() + PENALTY * bias @ bias)


def gradient(bias: np.ndarray, scores: np.ndarray, gold: np.ndarray) -> np.ndarray:
    onehot = np.eye(scores.shape[1])[gold]
    return np.asarray((softmax(scores + bias, axis=1) - onehot).sum(axis=0) + 2 * PENALTY * bias)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(2, 8), st.floats(0.1, 30), st.integers(0, 10**6))
def test_the_fitted_bias_is_the_minimum_that_scipy_finds(
    rows: int, labels: int, spread: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(scale=spread, size=(rows, labels))
    gold = rng.integers(labels, size=rows)
    ours = fitted_bias(scores, gold)
    theirs = minimize(objective, np.zeros(labels), (scores, gold), jac=gradient, method="BFGS")
    assert objective(ours, scores, gold) <= theirs.fun + 1e-8
    np.testing.assert_allclose(gradient(ours, scores, gold), 0, atol=1e-6)
    np.testing.assert_allclose(ours, theirs.x, atol=2e-3)


def test_the_oracle_is_right() -> None:
    rng = np.random.default_rng(0)
    scores, gold = rng.normal(size=(9, 4)), rng.integers(4, size=9)
    assert check_grad(objective, gradient, rng.normal(size=4), scores, gold) < 1e-5


def test_the_penalty_keeps_the_bias_finite_where_a_label_never_occurs() -> None:
    bias = fitted_bias(np.zeros((50, 2)), np.zeros(50, dtype=np.intp))
    assert np.isfinite(bias).all()
    assert bias[0] > 1 > -1 > bias[1]
    assert bias.sum() == pytest.approx(0, abs=1e-6)


def row(number: int, *, answer: str | None = "a") -> Example:
    return Example(f"r{number:03}", "x", (answer,) if answer else None, str(number))


def test_at_most_100_labelled_rows_are_scored_and_none_that_is_shown() -> None:
    train = [row(number, answer=None if number % 5 == 0 else "a") for number in range(300)]
    shown = {"r001", "r002"}
    rows = calibration_rows(train, shown, seed=0)
    assert len(rows) == ROWS == len({one.id for one in rows})
    assert not shown & {one.id for one in rows}
    assert all(one.expected for one in rows)


def test_rows_are_drawn_by_seed_whatever_their_order() -> None:
    train = [row(number) for number in range(300)]
    first = calibration_rows(train, set(), seed=1)
    assert calibration_rows(train[::-1], set(), seed=1) == first
    assert calibration_rows(train, set(), seed=2) != first

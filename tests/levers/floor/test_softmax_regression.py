from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.linear_model import LogisticRegression

from accordeur.levers.floor.regressors import (
    DenseRegressors,
    RepresentedRegressors,
    SparseRegressors,
    word_regressors,
)
from accordeur.levers.floor.softmax_regression import _Problem, fit_softmax
from accordeur.parts.classifier.probabilities import softmax
from accordeur.parts.classifier.words import SparseRows

RANDOM = np.random.default_rng(0)


def clusters(n: int, d: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    codes = np.arange(n) % labels
    rows = RANDOM.normal(size=(labels, d))[codes] + 1.5 * RANDOM.normal(size=(n, d))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), codes


@pytest.mark.parametrize(("n", "d", "labels", "c"), [(200, 20, 3, 1.0), (150, 40, 7, 100.0),
                                                     (30, 60, 5, 10.0)])  # fmt: skip
def test_equals_scikit_learn_on_dense_rows(n: int, d: int, labels: int, c: float) -> None:
    rows, codes = clusters(n, d, labels)
    fitted = fit_softmax(DenseRegressors(rows), codes, labels, c, tolerance=1e-8)
    oracle = LogisticRegression(C=c, tol=1e-10, max_iter=5000).fit(rows, codes)
    assert fitted.converged
    np.testing.assert_allclose(fitted.weights.T, oracle.coef_, atol=2e-4)
    chances = softmax(rows @ fitted.weights + fitted.intercept)
    np.testing.assert_allclose(chances, oracle.predict_proba(rows), atol=2e-5)


def test_two_labels_equal_scikit_learn_at_twice_its_strength() -> None:
    rows, codes = clusters(120, 10, 2)
    fitted = fit_softmax(DenseRegressors(rows), codes, 2, 5.0, tolerance=1e-8)
    oracle = LogisticRegression(C=10.0, tol=1e-10, max_iter=5000).fit(rows, codes)
    weights = fitted.weights[:, 1] - fitted.weights[:, 0]
    np.testing.assert_allclose(weights, oracle.coef_[0], atol=2e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8), st.integers(1, 6), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_gradient_is_that_of_the_loss(n: int, d: int, labels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, point = random.normal(size=(n, d)), random.normal(size=(d + 1, labels))
    problem = _Problem(DenseRegressors(rows), random.integers(0, labels, n), labels, 0.3)

    def loss(flat: np.ndarray) -> float:
        parameters = flat.reshape(point.shape)
        return problem.loss(problem.scores(parameters), parameters)[0]

    gradient = problem.gradient(problem.loss(problem.scores(point), point)[1], point)
    numeric = approx_fprime(point.ravel(), loss, 1e-7).reshape(point.shape)
    np.testing.assert_allclose(gradient, numeric, atol=1e-5)


def sparse_rows(n: int, d: int) -> tuple[SparseRows, np.ndarray]:
    matrix = RANDOM.random((n, d)) * (RANDOM.random((n, d)) < 0.15)
    matrix[1] = matrix[0]  # the same text twice makes X X' singular
    rows, columns = np.nonzero(matrix)
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype(np.intp)
    return SparseRows(starts, columns, matrix[rows, columns], d), matrix


def test_all_three_ways_to_hold_the_rows_give_the_same_head() -> None:
    sparse, matrix = sparse_rows(60, 150)
    codes = np.arange(60) % 4
    heads = []
    for regressors in (
        DenseRegressors(matrix),
        SparseRegressors(sparse),
        RepresentedRegressors(sparse),
    ):
        fitted = fit_softmax(regressors, codes, 4, 10.0, tolerance=1e-8)
        heads.append(np.vstack([regressors.weights(fitted.weights), fitted.intercept]))
    np.testing.assert_allclose(heads[1], heads[0], atol=1e-5)
    np.testing.assert_allclose(heads[2], heads[0], atol=1e-5)


def test_rows_are_represented_where_there_are_fewer_of_them_than_terms() -> None:
    assert isinstance(word_regressors(sparse_rows(20, 40)[0]), RepresentedRegressors)
    assert isinstance(word_regressors(sparse_rows(40, 20)[0]), SparseRegressors)


def test_one_label_and_separable_rows_are_no_trouble() -> None:
    one = fit_softmax(DenseRegressors(np.ones((3, 2))), np.zeros(3, np.intp), 1, 1.0)
    assert one.converged
    rows, codes = np.eye(4), np.arange(4)
    apart = fit_softmax(DenseRegressors(rows), codes, 4, 1e6)
    assert (softmax(rows @ apart.weights + apart.intercept).argmax(axis=1) == codes).all()


def test_a_start_near_the_end_saves_steps_and_changes_nothing() -> None:
    rows, codes = clusters(100, 12, 4)
    cold = fit_softmax(DenseRegressors(rows), codes, 4, 10.0, tolerance=1e-7)
    begin = cold.parameters.copy()
    warm = fit_softmax(DenseRegressors(rows), codes, 4, 10.0, tolerance=1e-7, start=begin)
    assert warm.iterations < cold.iterations
    np.testing.assert_allclose(warm.parameters, cold.parameters, atol=1e-4)
    np.testing.assert_array_equal(begin, cold.parameters)


def test_too_few_steps_are_admitted() -> None:
    rows, codes = clusters(100, 12, 4)
    fitted = fit_softmax(DenseRegressors(rows), codes, 4, 10.0, most_iterations=2)
    assert (fitted.converged, fitted.iterations) == (False, 2)

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from accordeur.measure.statistics import brier_score, expected_calibration_error


def rows(seed: int, n: int, labels: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(labels), size=n), rng.integers(0, labels, size=n)


def test_known_calibration_error() -> None:
    # Confidence 0.9 twice, one right: gap 0.4. Confidence 0.6 twice, both right: gap 0.4.
    p = [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]
    assert expected_calibration_error(p, [0, 1, 1, 1]) == pytest.approx(0.4)


def test_bins_average_before_the_absolute_value() -> None:
    # One bin: the mean confidence 0.75 meets the accuracy 0.75, though no single row does.
    p = [[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]]
    assert expected_calibration_error(p, [0, 0, 0, 1], bins=1) == pytest.approx(0.0)
    assert expected_calibration_error(p, [0, 0, 0, 1], bins=15) == pytest.approx(0.1)


def test_bins_are_closed_on_the_right() -> None:
    # With two bins 0.5 lies in the lower and 0.75 in the upper: gaps of 0.5 and 0.25, not pooled.
    p = [[0.5, 0.25, 0.25], [0.75, 0.25, 0.0]]
    assert expected_calibration_error(p, [1, 0], bins=2) == pytest.approx((0.5 + 0.25) / 2)


def test_agrees_with_bins_written_as_a_loop() -> None:
    p, labels = rows(0, 400, 5)
    confidence, correct = p.max(axis=1), p.argmax(axis=1) == labels
    edges = np.linspace(0, 1, 16)
    expected = 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            expected += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(p, labels) == pytest.approx(expected)


def test_labels_drawn_from_the_probabilities_are_well_calibrated() -> None:
    p, _ = rows(1, 20_000, 4)
    draws = np.random.default_rng(2).random(20_000)
    labels = np.minimum((p.cumsum(axis=1) < draws[:, None]).sum(axis=1), 3)
    assert expected_calibration_error(p, labels) < 0.02
    sharpened = p**3 / (p**3).sum(axis=1, keepdims=True)
    assert expected_calibration_error(sharpened, labels) > 0.1


def test_brier_score_runs_from_0_to_2() -> None:
    certain = np.eye(3)
    assert brier_score(certain, [0, 1, 2]) == 0.0
    assert brier_score(certain, [1, 2, 0]) == 2.0
    assert brier_score(np.full((3, 3), 1 / 3), [0, 1, 2]) == pytest.approx(2 / 3)


def test_brier_score_of_two_labels_is_twice_the_binary_one() -> None:
    p, labels = rows(3, 50, 2)
    assert brier_score(p, labels) == pytest.approx(2 * np.mean((p[:, 1] - labels) ** 2))


@pytest.mark.parametrize(
    ("p", "labels"),
    [
        (np.empty((0, 2)), np.empty(0, dtype=int)),
        ([[0.5, 0.4]], [0]),
        ([[1.5, -0.5]], [0]),
        ([[float("nan"), 0.5]], [0]),
        ([[0.5, 0.5]], [2]),
        ([[0.5, 0.5]], [-1]),
        ([[0.5, 0.5]], [0.0]),
        ([[0.5, 0.5]], [0, 1]),
    ],
)
def test_refuses_what_is_no_distribution_or_no_label(
    p: list[list[float]], labels: list[int]
) -> None:
    for score in (expected_calibration_error, brier_score):
        with pytest.raises(ValueError):
            score(p, labels)

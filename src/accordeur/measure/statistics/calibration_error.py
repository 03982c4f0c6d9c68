"""How far stated probabilities are from what happens."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 15
) -> float:
    """Expected calibration error of the top label, 0 to 1.

    Rows are put by confidence max_k p_k into equal-width bins ((j - 1)/bins, j/bins]; the error is
    the mean over rows of |accuracy - mean confidence| of the row's bin. Ties for the top label go
    to the first, as in P4.

    Args:
        probabilities: ``[n, K]``, rows summing to 1.
        labels: right label of each row as a column number, ``[n]``.
        bins: number of bins.

    Raises:
        ValueError: no rows, shapes that differ, rows that are no distribution (1e-3 allowed for low
            precision), labels outside 0 to K - 1, or ``bins`` below 1.

    Source: C. Guo et al., On calibration of modern neural networks, ICML 2017, with its 15 bins.
    The estimate is biased upwards at small n: compare it only at equal n.
    """
    return calibration_gap(top_label(probabilities, labels), bins=bins)


def top_label(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Confidence of the top label and whether it is right (0 or 1), ``[n, 2]``.

    All that `calibration_gap` needs of a row, so that it can be recomputed on resamples. Arguments
    and errors as `expected_calibration_error`.
    """
    p, right = _checked(probabilities, labels)
    return np.stack((p.max(axis=1), p.argmax(axis=1) == right), axis=1)


def calibration_gap(pairs: NDArray[np.float64], *, bins: int = 15) -> float:
    """Expected calibration error of (confidence, right) pairs ``[n, 2]``.

    Raises:
        ValueError: ``bins`` below 1.
    """
    if bins < 1:
        raise ValueError(f"`bins` must be at least 1, got {bins}")
    confidence, correct = pairs.T
    # ceil makes bins closed on the right; a confidence is never 0, but may pass 1 by rounding.
    which = np.clip(np.ceil(confidence * bins).astype(np.intp) - 1, 0, bins - 1)
    gaps = np.bincount(which, weights=correct - confidence, minlength=bins)
    # A sum of n rounding errors is no miscalibration.
    return round(float(np.abs(gaps).sum() / len(pairs)), 12)


def brier_score(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Multi-class Brier score, mean over rows of Σ_k (p_k - [k is right])²; 0 best, 2 worst.

    This is Brier's own form, a sum over all labels; for two labels it is twice the binary score
    that scikit-learn's `brier_score_loss` gives by default.

    Args:
        probabilities: ``[n, K]``, rows summing to 1.
        labels: right label of each row as a column number, ``[n]``.

    Raises:
        ValueError: as `expected_calibration_error`.

    Source: G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly
    Weather Review 78 (1950).
    """
    return float(brier_scores(probabilities, labels).mean())


def brier_scores(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Σ_k (p_k - [k is right])² of every row, ``[n]``; arguments and errors as `brier_score`."""
    p, right = _checked(probabilities, labels)
    truth = np.zeros_like(p)
    truth[np.arange(len(p)), right] = 1.0
    errors: NDArray[np.float64] = np.square(p - truth).sum(axis=1)
    return errors


def _checked(
    probabilities: ArrayLike, labels: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    p = np.asarray(probabilities, dtype=np.float64)
    right = np.asarray(labels)
    if p.ndim != 2 or p.size == 0:
        raise ValueError(f"`probabilities` must be rows times labels, got shape {p.shape}")
    if right.shape != (len(p),) or right.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be {len(p)} integers, got {right.dtype} of shape {right.shape}"
        )
    if not ((p >= 0).all() and (np.abs(p.sum(axis=1) - 1) <= 1e-3).all()):  # also refuses NaN
        raise ValueError("every row of `probabilities` must be non-negative and sum to 1")
    if right.min() < 0 or right.max() >= p.shape[1]:
        raise ValueError(f"`labels` must lie between 0 and {p.shape[1] - 1}")
    return p, right.astype(np.intp)

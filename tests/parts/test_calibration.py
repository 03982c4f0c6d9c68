from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from accordeur.core.errors import BundleError
from accordeur.parts.calibration import Calibration, label_probabilities

SCORES = st.lists(st.floats(-300, 0), min_size=1, max_size=8)


@given(SCORES, st.data())
def test_probabilities_are_the_softmax_of_scores_and_bias(
    scores: list[float], data: st.DataObject
) -> None:
    bias = data.draw(st.lists(st.floats(-50, 50), min_size=len(scores), max_size=len(scores)))
    np.testing.assert_allclose(label_probabilities(scores), softmax(scores), atol=1e-12)
    np.testing.assert_allclose(
        label_probabilities(scores, bias), softmax(np.add(scores, bias)), atol=1e-12
    )


def test_very_low_scores_do_not_underflow_to_nothing() -> None:
    np.testing.assert_allclose(label_probabilities([-2000.0, -2000.0]), [0.5, 0.5])


FITTED = Calibration("fitted", ("b", "a"), (0.25, -1 / 3))


def test_it_reads_back_as_written_in_its_order() -> None:
    assert Calibration.from_files(FITTED.files()) == FITTED


def test_only_a_fitted_bias_counts_as_trained() -> None:
    assert FITTED.trained_parameters == 2
    assert Calibration("content-free", ("a",), (0.5,)).trained_parameters == 0


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[]",
        "{}",
        '{"method": "magic", "bias": {"a": 1}}',
        '{"method": "fitted", "bias": [1]}',
        '{"method": "fitted", "bias": {"a": "x"}}',
        '{"method": "fitted", "bias": {"a": NaN}}',
        '{"method": "fitted", "bias": {"a": Infinity}}',
        '{"method": ["fitted"], "bias": {"a": 1}}',
    ],
)
def test_anything_else_is_refused(data: str) -> None:
    with pytest.raises(BundleError, match=r"calibration\.json"):
        Calibration.from_files({"calibration.json": data.encode()})


def test_the_file_is_plain_json() -> None:
    assert json.loads(FITTED.files()["calibration.json"]) == {
        "method": "fitted",
        "bias": {"b": 0.25, "a": -1 / 3},
    }

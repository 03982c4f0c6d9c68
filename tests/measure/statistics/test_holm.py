from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.measure.statistics import holm

families = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(families)
def test_equals_the_closed_test_with_bonferroni(family: list[float]) -> None:
    """Holm's procedure is the closure of Bonferroni: every subset with i must be rejected too."""
    m = len(family)
    subsets = [s for size in range(1, m + 1) for s in combinations(range(m), size)]
    expected = [
        max(min(1.0, len(s) * min(family[j] for j in s)) for s in subsets if i in s)
        for i in range(m)
    ]
    assert holm(family) == pytest.approx(expected)


@given(families)
def test_is_monotone_and_follows_the_order_given(family: list[float]) -> None:
    adjusted = holm(family)
    order = np.argsort(family, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (adjusted >= family).all()
    shuffled = np.random.default_rng(len(family)).permutation(len(family))
    assert holm(np.array(family)[shuffled]) == pytest.approx(adjusted[shuffled])


def test_known_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_an_empty_family_is_empty() -> None:
    assert holm([]).shape == (0,)


@pytest.mark.parametrize("family", [[-0.1], [1.1], [float("nan")], [[0.1]]])
def test_refuses_what_is_not_a_family_of_p_values(family: list[float]) -> None:
    with pytest.raises(ValueError):
        holm(family)

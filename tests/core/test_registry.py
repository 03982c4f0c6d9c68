from __future__ import annotations

import sys

import pytest

from accordeur.core.errors import PlanError
from accordeur.core.registry import Registry, unknown_name

TABLE = Registry("accordeur.nothing", "number", {"pi": "math:pi", "prime": "nowhere:prime"})


def test_a_name_is_loaded_on_first_use_and_not_before() -> None:
    assert TABLE.load("pi") == pytest.approx(3.14159, abs=1e-5)
    assert "nowhere" not in sys.modules


def test_names_come_in_the_order_of_the_table() -> None:
    assert TABLE.names() == ("pi", "prime")


def test_an_unknown_name_offers_the_nearest_and_lists_all() -> None:
    with pytest.raises(PlanError, match="no number named `prim`") as caught:
        TABLE.load("prim")
    assert "did you mean `prime`" in caught.value.hint
    assert "known: pi, prime" in caught.value.hint


def test_a_name_unlike_any_other_gets_no_guess() -> None:
    assert "did you mean" not in unknown_name("number", "zzzz", ("pi",)).hint

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.fingerprint import canonical_json, digest, seed_for

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.text(max_size=3), PLAIN))
def test_the_order_of_keys_does_not_matter(data: dict[str, object]) -> None:
    assert digest(data) == digest(dict(reversed(data.items())))


def test_known_digests_stay_as_they_are() -> None:
    # Run folders and caches of earlier versions are named by these.
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()
    assert digest({}).startswith("44136fa355b3678a")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError):
        digest([value])
    with pytest.raises(TypeError):
        digest({"x": object()})


def test_seeds_differ_by_run_and_by_every_name() -> None:
    seeds = {seed_for(run, *names) for run in (0, 1) for names in (("a",), ("b",), ("a", "b"))}
    assert len(seeds) == 6
    assert seed_for(3, "few-shot", "draw") == seed_for(3, "few-shot", "draw")
    assert all(0 <= seed < 2**32 for seed in seeds)

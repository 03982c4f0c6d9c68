"""Stop sequences, however the text is cut into pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from accordeur.serve.stops import until_stop

PIECES = st.lists(st.text("ab\n", max_size=4), max_size=8)
STOPS = st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3)


@given(PIECES, STOPS)
def test_the_text_ends_before_the_first_stop_wherever_pieces_end(
    pieces: list[str], stops: list[str]
) -> None:
    whole = "".join(pieces)
    places = [whole.find(stop) for stop in stops if stop in whole]
    found = list(until_stop(iter(pieces), stops))
    assert any(met for _, met in found) == bool(places)
    text = "".join(piece for piece, _ in found)
    if not places:
        assert text == whole
    else:
        # Of two that begin in one piece the earlier counts; one that is complete earlier counts
        # before one that begins earlier and is completed later.
        ends = min(whole.find(stop) + len(stop) for stop in stops if stop in whole)
        assert whole.startswith(text)
        assert len(text) <= ends
        assert not any(stop in text for stop in stops)


def test_what_may_begin_a_stop_is_held_back() -> None:
    assert list(until_stop(iter(["ab", "c"]), ["bd"])) == [("a", False), ("bc", False)]

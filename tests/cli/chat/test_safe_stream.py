"""Pieces of a model's text on their way to a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from accordeur.cli.chat.safe_stream import SafeStream
from accordeur.cli.terminal import safe

pieces = st.lists(
    st.text(st.sampled_from("a\x1b[31m\x9b\x07\r\n\t\u202e\u2066\ud83d]0;") | st.characters())
)


@given(pieces)
def test_the_pieces_together_are_the_escaped_text_however_it_was_cut(texts: list[str]) -> None:
    stream = SafeStream()
    shown = "".join([*map(stream.feed, texts), stream.end()])
    assert shown == safe("".join(texts))
    assert not set("\x1b\x9b\x07\r\u202e\u2066") & set(shown)


def test_a_sequence_split_over_pieces_does_not_get_through() -> None:
    stream = SafeStream()
    assert "".join(map(stream.feed, ["red \x1b", "[31", "m?"])) == "red \\x1b[31m?"

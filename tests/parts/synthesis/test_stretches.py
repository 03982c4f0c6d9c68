"""Texts cut and grouped so that each group fits a prompt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from accordeur.parts.synthesis import grouped


def words(text: str) -> int:
    return len(text.split())


def test_small_documents_share_a_group_and_keep_their_names() -> None:
    groups = grouped([("a", "one two"), ("b", "three"), ("c", "four five six")], 5, words)
    assert groups == [[("a", "one two"), ("b", "three")], [("c", "four five six")]]


def test_a_long_document_is_cut_between_paragraphs_then_sentences() -> None:
    text = "One two. Three four. Five six.\n\nSeven eight."
    groups = grouped([("a", text)], 4, words)  # the name takes one
    assert [piece for group in groups for _, piece in group] == [
        "One two.",
        "Three four.",
        "Five six.",
        "Seven eight.",
    ]


def test_a_sentence_that_is_too_long_is_cut_anywhere() -> None:
    groups = grouped([("a", "x" * 100)], 10, len)
    assert "".join(piece for group in groups for _, piece in group) == "x" * 100
    assert all(len(piece) <= 10 for group in groups for _, piece in group)


TEXTS = st.lists(
    st.text(alphabet="ab. \n", max_size=40).map(lambda text: text), min_size=1, max_size=5
)


@given(TEXTS, st.integers(2, 30))
def test_nothing_but_white_space_is_lost(texts: list[str], room: int) -> None:
    named = [(str(at), text) for at, text in enumerate(texts)]
    groups = grouped(named, room, len)
    for name, text in named:
        kept = "".join(piece for group in groups for one, piece in group if one == name)
        assert "".join(kept.split()) == "".join(text.split())
    assert all(groups)

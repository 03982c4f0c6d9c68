"""Cutting documents into chunks."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import UsageError
from accordeur.documents import chunking
from accordeur.documents.chunking import Chunk, ChunkSize, chunk, words_and_marks
from accordeur.documents.document import Document
from accordeur.documents.readers import markdown, reader_for

TEXTS = st.text(alphabet=st.sampled_from("ab. \n\t#-é漢😀\r\u2028"), max_size=400)


def letters(text: str) -> int:
    """A token for each character, and two special ones."""
    return len(text) + 2


@settings(deadline=None)
@given(
    TEXTS, st.booleans(), st.integers(16, 60), st.integers(0, 8), st.sampled_from([7, 50, 1_000])
)
def test_chunks_are_slices_that_fit_in_order_and_leave_no_letter_out(
    text: str, markdown: bool, tokens: int, overlap: int, block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "BLOCK", block)
        _cut_and_check(text, markdown, tokens, overlap)


def _cut_and_check(text: str, markdown: bool, tokens: int, overlap: int) -> None:
    made = chunk(Document("a", text), ChunkSize(tokens, overlap), letters, markdown=markdown)
    covered = [False] * len(text)
    for one in made:
        assert one.tokens == letters(text[one.start : one.end]) <= tokens
        assert text[one.start : one.end].strip() == text[one.start : one.end] != ""
        covered[one.start : one.end] = [True] * (one.end - one.start)
    assert [one.start for one in made] == sorted(one.start for one in made)
    assert all(seen or letter.isspace() for seen, letter in zip(covered, text, strict=True))


@given(TEXTS)
def test_without_overlap_no_letter_stands_in_two_chunks(text: str) -> None:
    made = chunk(Document("a", text), ChunkSize(20, 0), letters, markdown=False)
    assert all(one.end <= other.start for one, other in itertools.pairwise(made))


def test_what_no_embedder_could_read_whole_is_still_counted() -> None:
    def heavy(text: str) -> int:
        return 40 * len(text)

    made = chunk(Document("a", "ab"), ChunkSize(20, 0), heavy, markdown=False)
    assert made == [Chunk(0, 1, 40), Chunk(1, 2, 40)]


def test_chunks_begin_behind_the_front_matter_and_follow_headings() -> None:
    text = "---\nx: 1\n---\n# One\n\n" + "word " * 12 + "\n\n# Two\n\n" + "word " * 12
    made = chunk(Document("a", text, body=13), ChunkSize(16, 0), words_and_marks, markdown=True)
    assert [text[one.start : one.end][:5] for one in made] == ["# One", "# Two"]


def test_chunks_stand_under_the_titles_of_their_first_words() -> None:
    text = "# A\n\n## B\n\n" + "b " * 9 + "\n\n## C\n\n" + "c " * 12 + "\n\n# D\n\n" + "d " * 12
    document = markdown.read(text.encode(), "a.md")
    made = chunk(document, ChunkSize(16, 0), words_and_marks, markdown=True)
    assert [one.headings for one in made] == [("A", "B"), ("A", "C"), ("D",)]


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="0 to 50"):
        raise AssertionError(ChunkSize(100, 51))
    with pytest.raises(UsageError, match="at least 16"):
        raise AssertionError(ChunkSize(15, 0))


def test_words_and_marks_are_counted() -> None:
    assert words_and_marks("It's 5 €!") == len(["It", "'", "s", "5", "€", "!"])
    assert words_and_marks("internationalisation") == 2
    assert words_and_marks("漢字 かな") == 4
    assert words_and_marks(" \n") == 0


def test_words_without_end_do_not_make_passages_without_end() -> None:
    text = "x" * 50_000
    made = chunk(Document("a", text), ChunkSize(100, 0), lambda _: 3, markdown=False)
    assert max(one.end - one.start for one in made) <= 100 * 20 + 20
    assert made[-1].end == len(text)


def test_the_spans_of_public_data_hold_in_what_the_readers_give() -> None:
    default = Path(__file__).parents[3] / "shared" / "data"
    place = Path(os.environ.get("ACCORDEUR_DATA") or default) / "chunking_eval"
    if not place.is_dir():
        pytest.skip(f"no real data at {place} (set ACCORDEUR_DATA)")
    texts = {
        path.name: reader_for(path.name).read(path.read_bytes(), path.name).text
        for path in (place / "corpora").glob("*.md")
    }
    for line in (place / "questions.jsonl").read_text().splitlines():
        row = json.loads(line)
        for span, quote in zip(row["spans"], row["quotes"], strict=True):
            assert texts[span["document"]][span["start"] : span["end"]] == quote

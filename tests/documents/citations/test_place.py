"""Where a quote is opened."""

from __future__ import annotations

from pathlib import Path

from accordeur.core.span import Span
from accordeur.documents.citations.place import place_of

TEXT = "# Leave\n\nYou have 25 days.\nAsk first.\n\nAsk first.\n"


def test_a_line_where_the_file_has_the_quote_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "a b.md"
    file.write_text(TEXT)
    start = TEXT.index("25")
    place = place_of(file, Span("a b.md", start, start + 7), "25 days")
    assert (place.line, place.page) == (3, None)
    assert place.uri == f"file://{tmp_path}/a%20b.md"


def test_the_line_of_the_only_occurrence_where_the_reader_moved_it(tmp_path: Path) -> None:
    file = tmp_path / "leave.html"
    file.write_text(f"<html>\n{TEXT}")
    assert place_of(file, Span("leave.html", 0, 7), "25 days").line == 4
    assert place_of(file, Span("leave.html", 0, 10), "Ask first.").line is None


def test_windows_line_ends_and_a_byte_order_mark_do_not_move_lines(tmp_path: Path) -> None:
    file = tmp_path / "leave.md"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    start = TEXT.index("25")
    assert place_of(file, Span("leave.md", start, start + 7), "25 days").line == 3


def test_a_page_where_there_is_one(tmp_path: Path) -> None:
    place = place_of(tmp_path / "a.pdf", Span("a.pdf", 5, 9), "text", page=7)
    assert (place.line, place.page) == (None, 7)
    assert place.uri.endswith("/a.pdf#page=7")


def test_a_file_that_is_gone_or_no_text_is_named_alone(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00")
    assert place_of(tmp_path / "a.bin", Span("a.bin", 0, 3), "abc").line is None
    assert place_of(tmp_path / "gone.md", Span("gone.md", 0, 3), "abc").line is None

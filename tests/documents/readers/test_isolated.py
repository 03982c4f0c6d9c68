"""PDF, Office and e-mail: read in a process of their own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from tests.documents.readers.files import ENCRYPTED, docx, pdf, pdf_bomb

from accordeur.documents.readers import Unreadable, reader_for
from accordeur.documents.readers.isolated import read_isolated

PAGES = ["The first page\nis about rowing.", "Page two: sailing.", ""]


def test_a_pdf_keeps_its_pages_outline_and_metadata() -> None:
    info = "/Title (Boats) /Author (Ada) /Keywords (water, wood) /CreationDate (D:20260301120000Z)"
    data = pdf(PAGES, info=info)
    found = reader_for("a.pdf").read(data, "a.pdf")
    assert found.text == "The first page\nis about rowing.\n\nPage two: sailing.\n\n"
    assert [found.text[start : start + 4] for start in found.pages] == ["The ", "Page", ""]
    assert found.page(found.text.index("sailing")) == 2
    assert found.page(0) == 1
    assert found.metadata == {
        "title": "Boats",
        "author": "Ada",
        "tags": "water, wood",
        "date": "2026-03-01",
    }
    outlined = reader_for("a.pdf").read(pdf(PAGES[:2], outline="sailing"), "a.pdf")
    (heading,) = outlined.headings
    assert outlined.text[heading.start :].startswith("sailing")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no PDF that can be read"),
        (b"%PDF-1.4 and then nothing", "no PDF that can be read"),
        (pdf(PAGES)[: len(pdf(PAGES)) // 3], "no PDF that can be read"),
        (pdf(PAGES, extra=ENCRYPTED), "encrypted"),
        (pdf(["", ""]), "its 2 pages hold no text"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        reader_for("a.pdf").read(data, "a.pdf")


def test_a_bomb_costs_one_file_and_neither_memory_nor_time() -> None:
    with pytest.raises(Unreadable, match="MB") as caught:
        read_isolated("pdf", pdf_bomb(400), "a.pdf", memory=250 * 2**20, seconds=20)
    assert caught.value.lasting


def test_a_reader_that_takes_too_long_is_stopped() -> None:
    page = b"<p>word</p>" * 3_000_000
    with pytest.raises(Unreadable, match=r"crashed|took more than 2 s"):
        read_isolated("html", page, "a.html", seconds=1)


def test_what_a_process_that_cannot_start_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere\x1b[2J")
    with pytest.raises(Unreadable, match=r"crashed \(code 1\).*; it said: .+") as caught:
        read_isolated("pdf", pdf(PAGES), "a.pdf")
    assert "\x1b" not in caught.value.reason


def test_files_of_the_working_folder_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    assert reader_for("a.pdf").read(pdf(PAGES), "a.pdf").text
    assert [one.name for one in tmp_path.iterdir()] == ["json.py"]


def test_a_word_document() -> None:
    data = docx(
        [("Heading1", "Boats"), ("", "Wood and water."), ("Heading2", "Oars"), ("", "Two.")],
        title="All of it",
        author="Ada",
    )
    found = reader_for("a.docx").read(data, "a.docx")
    assert found.text == "Boats\n\nWood and water.\n\nOars\n\nTwo."
    assert found.under(found.text.index("Two")) == ("Boats", "Oars")
    assert found.metadata == {"title": "All of it", "author": "Ada"}


def test_a_spreadsheet() -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Teams"
    for row in (("name", "days"), ("Ada", 3), (None, None), ("Bo", 4.5)):
        book.active.append(row)
    book.create_sheet("Empty")
    made = io.BytesIO()
    book.save(made)
    found = reader_for("a.xlsx").read(made.getvalue(), "a.xlsx")
    assert found.text == "Teams\nname: Ada; days: 3\nname: Bo; days: 4.5"
    assert found.under(found.text.index("Bo")) == ("Teams",)


@pytest.mark.parametrize("ending", ["docx", "xlsx"])
def test_an_office_file_that_is_none_says_so(ending: str) -> None:
    with pytest.raises(Unreadable, match="can be read"):
        reader_for(f"a.{ending}").read(b"PK\x03\x04 broken", f"a.{ending}")


def test_an_e_mail() -> None:
    message = (
        b"From: Ada <ada@example.org>\r\nTo: Bo <bo@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3"
        b"=9Fe?=\r\nDate: Sun, 1 Mar 2026 10:00:00 +0100\r\nContent-Type: multipart/mixed;"
        b" boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>Hello <b>you</b>\r\n"
        b"--x\r\nContent-Type: text/csv\r\nContent-Disposition: attachment;"
        b' filename="a.csv"\r\n\r\n'
        b"1,2\r\n--x--\r\n"
    )
    found = reader_for("a.eml").read(message, "a.eml")
    assert found.text.startswith("Subject: Grüße\nFrom: Ada <ada@example.org>\n")
    assert found.text.endswith("\n\nHello you\n\nAttached: a.csv")
    assert found.metadata["date"] == "2026-03-01"
    assert found.metadata["author"] == "Ada <ada@example.org>"
    with pytest.raises(Unreadable, match="no e-mail"):
        reader_for("a.eml").read(b"just some words", "a.eml")

"""Text, Markdown, tables and JSON."""

from __future__ import annotations

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.documents.readers import Unreadable, csv, json, markdown, reader_for, text
from accordeur.documents.readers.decoding import decode


@given(st.text())
def test_utf_8_text_is_the_file_decoded_to_the_letter(written: str) -> None:
    data = written.encode("utf-8", "replace")
    if b"\0" in data or data.startswith(codecs.BOM_UTF8):
        return
    assert text.read(data, "a.txt").text == data.decode()
    assert markdown.read(data, "a.md").text == data.decode()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding_and_is_no_character(encoding: str) -> None:
    found = text.read("Grüße\r\nan alle".encode(encoding), "a.txt")
    assert found.text == "Grüße\r\nan alle"
    assert bool(found.notes) == (encoding != "utf-8-sig")


def test_what_is_not_utf_8_is_read_as_windows_1252_and_told() -> None:
    found = text.read("Grüße für 5 €".encode("cp1252"), "a.txt")
    assert found.text == "Grüße für 5 €"
    assert found.notes == ("not UTF-8; read as Windows-1252",)


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\0\0", b"\xff\xfe\x00\xd8", bytes(range(128, 256)) + bytes(range(1, 9)) * 9],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_a_declared_encoding_counts_only_where_it_is_one_of_text() -> None:
    assert decode("ж".encode("koi8-r"), "koi8-r")[0] == "ж"
    assert decode(b"plain", "rot13")[0] == "plain"
    assert decode(b"plain", "no such thing")[0] == "plain"


def test_markdown_headings_are_found_outside_of_code() -> None:
    source = (
        "# One **bold** [link](x)\n\ntext\n\n```py\n# no heading\n```\n## Two ##\n"
        "Under\n-----\n- item\n-----\n    # code\n#hash\nOver\n====\n"
    )
    found = markdown.read(source.encode(), "a.md")
    assert [(one.level, one.title) for one in found.headings] == [
        (1, "One bold link"),
        (2, "Two"),
        (2, "Under"),
        (1, "Over"),
    ]
    for one in found.headings:
        assert found.text[one.start :].startswith(("# One", "## Two", "Under", "Over"))
    place = found.text.index("Under\n--")
    assert found.under(place) == ("One bold link", "Under")
    assert found.under(found.text.index("Over")) == ("Over",)
    assert found.metadata["title"] == "One bold link"


def test_front_matter_is_metadata_and_stays_in_the_text() -> None:
    source = (
        "---\r\ntitle: Leave\r\ntags: [hr, people]\r\ndate: 2026-03-01\r\nDepartment: HR\r\n"
        "nested: {a: 1}\r\n---\r\nBody\r\n"
    )
    found = markdown.read(source.encode(), "a.md")
    assert found.text == source
    assert found.text[found.body :] == "Body\r\n"
    assert found.metadata == {
        "title": "Leave",
        "tags": "hr, people",
        "date": "2026-03-01",
        "department": "HR",
    }


@pytest.mark.parametrize(
    "source",
    [
        "# " + "[" * 300_000,
        "# " + " " * 300_000 + "x",
        "---\n" + "a: " * 10_000 + "\n" + "x" * 300_000,
        "---\na0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 50))
        + "---\n",
        "#\n" * 200_000,
        "```\n" * 200_000,
    ],
)
def test_no_text_takes_markdown_long(source: str) -> None:
    begun = time.process_time()
    markdown.read(source.encode(), "a.md")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("source", ["---\nonly a rule\n", "---\nsome text\n---\nmore\n", "--- \n"])
def test_a_rule_is_no_front_matter(source: str) -> None:
    found = markdown.read(source.encode(), "a.md")
    assert (found.body, found.metadata) == (0, {})


def test_broken_front_matter_is_told() -> None:
    found = markdown.read(b"---\na: [\n---\nBody", "a.md")
    assert found.text[found.body :] == "Body"
    assert found.notes == ("its front matter is not valid YAML",)


def test_front_matter_that_unfolds_without_end_stays_small() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    found = markdown.read(("---\n" + "\n".join(lines) + "\n---\nBody").encode(), "a.md")
    assert found.metadata == {"a0": "x, x"}


def test_a_row_of_a_table_is_a_line() -> None:
    found = csv.read(b'name,team,remark\nAda,billing,"one\ntwo"\nBo,,"a, b"\n\n', "a.csv")
    assert found.text == "name: Ada; team: billing; remark: one two\nname: Bo; remark: a, b"
    assert csv.read(b"a;b\nx;y", "a.csv").text == "a: x; b: y"
    assert csv.read(b"a\tb\nx\ty, z", "a.tsv").text == "a: x; b: y, z"


def test_a_table_without_a_header_has_its_values_alone() -> None:
    assert csv.read(b"1,2\n3,4\n", "a.csv").text == "1; 2\n3; 4"


def test_json_is_readable_and_keeps_its_names() -> None:
    found = json.read(
        b'{"title": "T", "n": {"a": 1, "b": ["x", {"y": null}]}, "ok": true}', "a.json"
    )
    assert found.text == "title: T\nn:\n  a: 1\n  b:\n    - x\n    - y: \nok: true"
    assert found.metadata == {"title": "T"}
    assert json.read(b'{"a": 1}\n\n{"a": "two"}\n', "a.jsonl").text == "a: 1\n\na: two"
    assert json.read(b'[{"a": 1}, {"a": 2}]', "a.json").text == "a: 1\n\na: 2"


@pytest.mark.parametrize(
    "data", [b"{", b"[" * 100_000, b'{"a": ' + b"9" * 5_000 + b"}", b"\xff\xfe\xfa", b""]
)
def test_json_that_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        json.read(data, "a.json")


def test_half_characters_are_replaced() -> None:
    json.read(b'{"a": "\\ud800"}', "a.json").text.encode("utf-8")


def test_an_unknown_ending_is_named() -> None:
    with pytest.raises(Unreadable, match=r"`\.xyz` files are not read"):
        reader_for("a/b.xyz")
    assert reader_for("LICENSE").key == "text/1"
    assert reader_for("a/B.MD").module == "markdown"

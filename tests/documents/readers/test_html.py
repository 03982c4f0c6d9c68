"""HTML as one sees it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.documents.readers import html

PAGE = """<!doctype html><html><head><meta charset="utf-8"><title> Leave
 &amp; rest </title><meta name="author" content="Ada"><meta name="keywords" content="hr, leave">
<style>p { color: red }</style><script>alert("<p>no</p>")</script></head>
<body><h1>Leave</h1><p>Five   days,
or <b>36</b> hours.<br>Not more.</p>
<div hidden><p>secret</p></div>
<h2>Days <i>off</i></h2><ul><li>one<li><p>two</p></ul>
<table><tr><th>Case</th><th>Days</th></tr><tr><td>birth</td><td>3</td></tr></table>
<pre>a
  b</pre>end</body></html>"""


def test_the_visible_text_with_its_blocks() -> None:
    found = html.read(PAGE.encode(), "a.html")
    assert found.text == (
        "Leave\n\nFive days, or 36 hours.\nNot more.\n\nDays off\n\n- one\n- two\n\n"
        "Case | Days\nbirth | 3\n\na\n  b\n\nend"
    )


def test_headings_stand_where_they_are_told() -> None:
    found = html.read(PAGE.encode(), "a.html")
    assert [(one.level, one.title) for one in found.headings] == [(1, "Leave"), (2, "Days off")]
    for one in found.headings:
        assert found.text[one.start : one.start + len(one.title)] == one.title
    assert found.under(found.text.index("birth")) == ("Leave", "Days off")


def test_the_head_is_metadata() -> None:
    found = html.read(PAGE.encode(), "a.html")
    assert found.metadata == {"title": "Leave & rest", "author": "Ada", "tags": "hr, leave"}


def test_the_page_names_its_encoding() -> None:
    page = '<meta http-equiv="content-type" content="text/html; charset=koi8-r"><p>Привет'
    assert html.read(page.encode("koi8-r"), "a.html").text == "Привет"
    assert html.read("<meta charset=iso-8859-1><p>5 €".encode("cp1252"), "a.html").text == "5 €"


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ("<p>a<p>b", "a\n\nb"),
        ("a <!-- b --> c", "a c"),
        ("<b>x</b><i>y</i>", "xy"),
        ("<div><div><div>a</div></div></div><div>b</div>", "a\nb"),
        ("<svg><title>no</title></svg>text", "text"),
        ("<svg/>text", "text"),
        ("<script>never closed <p>x", ""),
        ("<h1>open <p>text", "open\n\ntext"),
        ("</ul></p>text</h1>", "text"),
        ("text &am", "text &am"),
        ("text &amp", "text &"),
        ("a < b and <c d", "a < b and"),
        ("<p>kept</p><a href='never closed>lost", "kept"),
        ("&lt;b&gt; &nbsp;x &#x41;", "<b> \xa0x A"),
        ("", ""),
    ],
)
def test_odd_pages(page: str, seen: str) -> None:
    assert html.read(page.encode(), "a.html").text == seen


@pytest.mark.parametrize(
    "part", ["<!--", "</", '<a a="', "<a ", "<![CDATA[", "<?", "<script><!--", "&#", "<b", "<h1>"]
)
def test_no_page_takes_long(part: str) -> None:
    begun = time.process_time()
    html.read((part * (500_000 // len(part))).encode(), "a.html")
    assert time.process_time() - begun < 10


TAGS = ["p", "h1", "h3", "li", "ul", "td", "tr", "div", "pre", "script", "br", "b", "title", "svg"]


@given(
    st.lists(
        st.one_of(
            st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
            st.text(alphabet="ab \n<&", max_size=5),
        ),
        max_size=40,
    )
)
def test_headings_are_slices_of_the_text_whatever_the_page(parts: list[str]) -> None:
    found = html.from_text("".join(parts), "a.html")
    assert "\n\n\n" not in found.text or "<pre>" in parts
    for one in found.headings:
        assert " ".join(found.text[one.start :].split()).startswith(one.title)

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.parts.prompt import ROW_TEMPLATE
from accordeur.parts.template import render_segments

ANY_TEXT = st.text(max_size=40)
FORGERIES = st.text(alphabet="\x00 01{}%#values\n<|>", max_size=20)


def pieces(source: str, **variables: Any) -> list[tuple[str, str]]:
    segments = render_segments(source, variables, trim=True, shared=False)
    return [(segment.kind, segment.text) for segment in segments]


def test_every_printed_value_is_data_and_all_else_is_static() -> None:
    assert pieces("From {{ name }}:\n{{ input }}!", name="Ann", input="hi") == [
        ("static", "From "),
        ("data", "Ann"),
        ("static", ":\n"),
        ("data", "hi"),
        ("static", "!"),
    ]


def test_only_data_may_be_trimmed_and_all_carry_whether_they_are_shared() -> None:
    segments = render_segments("To {{ input }}", {"input": "x"}, trim=True, shared=True)
    assert [segment.trim for segment in segments] == [False, True]
    assert all(segment.shared for segment in segments)
    kept = render_segments("To {{ input }}", {"input": "x"}, trim=False, shared=False)
    assert not any(segment.trim or segment.shared for segment in kept)


def test_empty_values_and_none_leave_no_segment() -> None:
    assert pieces("{{ input }}{{ context }}", input="", context=None) == []


def test_the_default_row_is_its_context_a_blank_line_and_its_input() -> None:
    assert pieces(ROW_TEMPLATE, input="Q", context="C") == [
        ("data", "C"),
        ("static", "\n\n"),
        ("data", "Q"),
    ]
    assert pieces(ROW_TEMPLATE, input="Q", context=None) == [("data", "Q")]


def test_loops_conditions_filters_and_assignments_work() -> None:
    source = "{% set x = input|upper %}{% for c in x %}{{ loop.index }}{{ c }} {% endfor %}"
    assert "".join(text for _, text in pieces(source, input="ab")) == "1A 2B "


def test_the_last_line_break_of_a_template_is_kept() -> None:
    assert pieces("{{ input }}\n", input="x")[-1] == ("static", "\n")


@given(ANY_TEXT | FORGERIES, ANY_TEXT | FORGERIES)
def test_no_value_can_look_like_a_boundary(first: str, second: str) -> None:
    found = pieces("[{{ a }}|{{ b }}]", a=first, b=second)
    wanted = [("static", "["), ("data", first), ("static", "|"), ("data", second), ("static", "]")]
    assert found == [(kind, text) for kind, text in wanted if text]


@given(st.text(alphabet="{}%# abinput|.'\"\n-+", max_size=25))
def test_any_template_renders_or_is_refused_by_message(source: str) -> None:
    try:
        found = pieces(source, input="x", a="y")
    except TaskError:
        return
    assert all(text for _, text in found)


@pytest.mark.parametrize("source", ["{{ nope }}", "{% if nope %}x{% endif %}", "{{ input.nope }}"])
def test_an_undefined_variable_is_named_with_what_the_row_offers(source: str) -> None:
    with pytest.raises(TaskError, match="nope") as caught:
        pieces(source, input="x", context=None)
    assert "context, input" in caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "{{ input.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ '{0.__class__}'.format(input) }}",
        "{{ self._TemplateReference__context }}",
    ],
)
def test_the_sandbox_keeps_templates_away_from_python(source: str) -> None:
    with pytest.raises(TaskError, match="sandbox forbids"):
        pieces(source, input="x")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(input) }}", "macro"),
        ("{% set x %}{{ input }}{% endset %}{{ x }}", "set block"),
        ("{% filter upper %}{{ input }}{% endfilter %}", "filter"),
        ("{% block b %}{{ input }}{% endblock %}{{ self.b() }}", "block"),
        ("{% for c in input recursive %}{{ loop(c) }}{% endfor %}", "recursive loop"),
        ("{% include 'other' %}", "include"),
        ("{% import 'other' as other %}", "import"),
        ("{% from 'other' import x %}", "from import"),
        ("{% extends 'other' %}", "extends"),
    ],
)
def test_what_would_lose_the_boundaries_is_refused_by_name(source: str, name: str) -> None:
    with pytest.raises(TaskError, match=f"`{name}`"):
        pieces(source, input="x")


@pytest.mark.parametrize(
    "source",
    ["{{ input", "{% if %}", "{{ input|nofilter }}", "{% endif %}", "{{ [1, 2]|random }}"],
)
def test_a_template_that_cannot_be_read_says_where(source: str) -> None:
    with pytest.raises(TaskError, match="line 1"):
        pieces(source, input="x")


@pytest.mark.parametrize(
    "source",
    ["{{ 1 + input }}", "{{ 1 / 0 }}", "{% for i in range(10**9) %}{% endfor %}", "{{ input() }}"],
)
def test_a_template_that_stumbles_over_a_row_is_a_message(source: str) -> None:
    with pytest.raises(TaskError, match="cannot be filled"):
        pieces(source, input="x")


def test_a_nul_in_the_template_is_refused_and_in_the_data_is_not() -> None:
    with pytest.raises(TaskError, match="NUL"):
        pieces("a\x00b", input="x")
    assert pieces("{{ input }}", input="\x000\x00") == [("data", "\x000\x00")]
    assert pieces("{{ '\\x00' }}", input="x") == [("data", "\x00")]


def test_chance_has_no_way_into_a_prompt() -> None:
    with pytest.raises(TaskError, match="lipsum"):
        pieces("{{ lipsum() }}", input="x")

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.answer import Answer, Reply
from accordeur.core.measurement import Measurement, RowResult
from accordeur.core.task import Example
from accordeur.measure.reasoning.first_error import Kind, first_error, first_errors, holds

STEPS = ("3 * 11 = 33", "33 - 2 = 31")


@pytest.mark.parametrize(
    ("chain", "right", "step", "kind"),
    [
        ("3 * 11 = 34\n34 - 2 = 32\nAnswer: 32", False, 1, Kind.CALCULATION),
        ("3 + 11 = 14\n14 - 2 = 12\nAnswer: 12", False, 1, Kind.STEP),
        ("3 * 11 = 33\n33 + 2 = 35\nAnswer: 35", False, 2, Kind.STEP),
        ("3 * 11 = 33\nAnswer: 33", False, 2, Kind.MISSING),
        ("Answer: 31", True, 1, Kind.MISSING),
        ("", False, 1, Kind.MISSING),
        ("3 * 11 = 33\n33 - 2 = 31\nAnswer: 33", False, 3, Kind.ANSWER),
    ],
)
def test_the_first_line_that_leaves_the_steps_is_named(
    chain: str, right: bool, step: int, kind: Kind
) -> None:
    error = first_error(chain, STEPS, right)
    assert error is not None
    assert (error.step, error.kind) == (step, kind)


@pytest.mark.parametrize(
    "chain", ["3 * 11 = 33\n33 - 2 = 31\nAnswer: 31", " 3 * 11 = 33.\n\n33  - 2 = 31\nANSWER : 31"]
)
def test_a_chain_that_follows_the_steps_has_no_error(chain: str) -> None:
    assert first_error(chain, STEPS, right=True) is None


@pytest.mark.parametrize(
    ("line", "true"),
    [
        ("6 x 4 = 24", True),
        ("6 \u00d7 4 = 25", False),
        ("36 / 6 = 6", True),
        ("36 \u00f7 0 = 6", False),
        ("3 * 11 - 2 = 31", True),
        ("2 + 3 * 4 = 14", True),
        ("2 + 3 * 4 = 20", False),
        ("(2 + 3) * 4 = 20", True),
        ("10 + 20 + 3 = 33, so 33 - 3 = 30", True),
        ("1,000 + 5 = 1,005", True),
        ("20 / 3 = 6.67", True),
        ("20 / 3 = 6.7", True),
        ("20 / 3 = 6", False),
        ("$5 * 3 = $15", True),
        ("-3 + 5 = 2", True),
        ("3 * 11 = 33 - 2 = 31", False),
        ("x = 5", True),
        ("5 = five", True),
        ("= = 4", True),
        ("1.5 + 1.5 = 3 and 2 * 2 = 5", False),
        ("Ada is older than Ben.", True),
    ],
)
def test_equations_are_checked(line: str, true: bool) -> None:
    assert holds(line) is true


@given(st.integers(0, 99), st.integers(1, 99), st.sampled_from("+-*"), st.integers(-3, 3))
def test_an_equation_holds_when_its_value_is_right(
    left: int, right: int, sign: str, off: int
) -> None:
    value = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert holds(f"{left} {sign} {right} = {value + off}") is (off == 0)


def test_counts_leave_out_rows_without_steps_or_chain() -> None:
    chains = {
        "sound": ("3 * 11 = 33\n33 - 2 = 31\nAnswer: 31", 1.0, STEPS),
        "detour": ("I count them. Answer: 31", 1.0, STEPS),
        "wrong": ("3 * 11 = 30\nAnswer: 30", 0.0, STEPS),
        "none": ("Answer: 31", 1.0, ()),
        "direct": (None, 0.0, STEPS),
    }
    examples, rows = [], []
    for name, (chain, score, steps) in chains.items():
        examples.append(Example(name, "q", ("31",), name, steps=steps))
        trace = (Reply("reasoning", chain),) if chain is not None else ()
        rows.append(RowResult(name, name, Answer("x", trace=trace), score))
    measured = Measurement(
        "c", "dev", "numeric", tuple(rows), tuple(range(len(rows))), 0.5, None, 0
    )
    found = first_errors(measured, examples)
    assert found is not None
    assert (found["n"], found["sound"], found["detours"], found["wrong"]) == (3, 1, 1, 1)
    assert found["kinds"] == {"calculation": 1}
    assert found["places"] == {"1": 1}
    assert found["shown"]["calculation"]["line"] == "3 * 11 = 30"


def test_nothing_is_counted_where_nobody_reasoned() -> None:
    example = Example("1", "q", ("31",), "1", steps=STEPS)
    row = RowResult("1", "1", Answer("31"), 1.0)
    measured = Measurement("c", "dev", "numeric", (row,), (0,), 1.0, None, 0)
    assert first_errors(measured, [example]) is None


def test_steps_given_as_one_text_are_lines_too() -> None:
    assert first_error("3 * 11 = 33\n33 - 2 = 31\nAnswer: 31", ["\n".join(STEPS)], True) is None


@given(st.text(alphabet="0123456789.,'+-*/x()= $", max_size=30))
def test_any_line_can_be_read(line: str) -> None:
    assert holds(line) in (True, False)

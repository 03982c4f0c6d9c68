from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.rendering import Request
from accordeur.core.task import TaskBrief
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations
from accordeur.parts.pattern import Critique, LeastToMost, Pattern, Reason, load
from accordeur.parts.pattern.chain import WHOLE, smaller_questions
from accordeur.parts.pattern.critique import ASK_AGAIN, CRITIQUE
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import render
from accordeur.parts.trained_with import prompt_fingerprint

SHOWN = Demonstration("1", "1", Request("2 boxes of 3?"), "6", ("2 * 3 = 6",))
PATTERNS = (Reason(90), Critique(40), Critique(40, ASK_AGAIN), LeastToMost(30, 2))


@pytest.mark.parametrize("made", PATTERNS, ids=lambda one: one.describe())
def test_a_pattern_comes_back_as_it_was(made: Pattern) -> None:
    assert load(made.files()) == made


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "magic"},
        {"kind": "reason"},
        {"kind": "reason", "max_tokens": 0, "words": "x"},
        {"kind": "critique", "max_tokens": 5, "turns": []},
        {"kind": "critique", "max_tokens": 5, "turns": [["a"]]},
        [],
    ],
)
def test_a_damaged_pattern_is_refused(damage: object) -> None:
    with pytest.raises(BundleError, match=r"pattern\.json"):
        load({"pattern.json": json.dumps(damage).encode()})


def test_reasoning_is_asked_for_behind_the_instruction_and_shown_in_examples(
    free: TaskBrief,
) -> None:
    rendered = render(free, Prompt("Solve."), Request("q"), (SHOWN,), pattern=Reason(90))
    user, assistant, last = rendered.turns()
    assert user.text.startswith("Solve. Think step by step.")
    assert user.text.endswith("\n\n2 boxes of 3?")
    assert assistant.text == "2 * 3 = 6\nAnswer: 6"
    assert last.text == "q"


def test_without_reasoning_worked_steps_stay_hidden(free: TaskBrief) -> None:
    for pattern in (None, Critique(40)):
        _, assistant, _ = render(
            free, Prompt("Solve."), Request("q"), (SHOWN,), pattern=pattern
        ).turns()
        assert assistant.text == "6"


def test_a_demonstration_keeps_its_steps_in_a_bundle() -> None:
    from accordeur.parts.demonstrations import load as load_demonstrations

    part = FixedDemonstrations((SHOWN,))
    assert load_demonstrations(part.files()) == part


def test_a_critique_asks_its_turns_in_order_and_ends() -> None:
    made = Critique(40)
    replies = ["6"]
    for name, text in CRITIQUE:
        asked = made.follow(replies)
        assert asked is not None
        assert (asked.reply, asked.text) == (name, text)
        replies.append("...")
    assert made.follow(replies) is None
    assert made.most_calls == len(replies)


def test_smaller_questions_are_asked_one_by_one_then_the_whole() -> None:
    made = LeastToMost(40, most_questions=2)
    split = "Sure:\n1. How many boxes?\n- How many pears in each?\n3) How many in all?"
    first = made.follow([split])
    assert first is not None
    assert (first.text, first.static) == ("How many boxes?", False)
    second = made.follow([split, "2"])
    assert second is not None
    assert second.text == "How many pears in each?"
    whole = made.follow([split, "2", "3"])
    assert whole is not None
    assert (whole.text, whole.reply) == (WHOLE, "answer")
    assert made.follow([split, "2", "3", "6"]) is None


def test_a_list_on_one_line_is_a_list_and_a_number_in_a_question_is_none() -> None:
    assert smaller_questions("1. How many boxes? 2. How many pears?") == [
        "How many boxes?",
        "How many pears?",
    ]
    assert smaller_questions("Are there 7. or 8?") == ["Are there 7. or 8?"]
    assert smaller_questions("1. Find how many there are after buying 12. 2. Find the rest.") == [
        "Find how many there are after buying 12.",
        "Find the rest.",
    ]
    assert smaller_questions("1) How many hours until 12: 30? 2) And then?") == [
        "How many hours until 12: 30?",
        "And then?",
    ]


def test_an_empty_split_goes_on_to_the_whole() -> None:
    whole = LeastToMost(40).follow([""])
    assert whole is not None
    assert whole.text == WHOLE


@given(st.text(max_size=200))
def test_smaller_questions_are_lines_without_bullets(text: str) -> None:
    found = smaller_questions(text)
    assert len(found) == len(set(found))
    assert all(line == line.strip() and line for line in found)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
def test_a_conversation_of_any_length_ends(replies: list[str]) -> None:
    for made in PATTERNS:
        if isinstance(made, Reason):
            continue
        said = list(replies[:1])
        while made.follow(said) is not None:
            said.append("x")
            assert len(said) <= made.most_calls


def test_a_prompt_is_another_one_with_a_pattern(free: TaskBrief) -> None:
    plain = Candidate(free, "m").with_part(Prompt("Solve."))
    assert prompt_fingerprint(plain) != prompt_fingerprint(plain.with_part(Reason(90)))

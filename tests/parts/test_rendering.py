"""DESIGN P3, one promise per test."""

from __future__ import annotations

import pytest

from accordeur.core.errors import TaskError
from accordeur.core.rendering import Rendered, Request
from accordeur.core.task import TaskBrief, Turn
from accordeur.parts.demonstrations import Demonstration
from accordeur.parts.prompt import Prompt
from accordeur.parts.rendering import render

ASK = Prompt("Which team?")


def shown(text: str, answer: str) -> Demonstration:
    return Demonstration(text, text, Request(text), answer)


def turns(rendered: Rendered, dropped: int = 0) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in rendered.turns(dropped)]


TWO = (shown("My bill", "billing"), shown("My card", "card_lost"))


def test_the_instruction_stands_once_a_blank_line_before_the_row(labelled: TaskBrief) -> None:
    rendered = render(labelled, ASK, Request("Where is it?"))
    assert turns(rendered) == [("user", "Which team?\n\nWhere is it?")]


def test_demonstrations_are_turns_with_display_texts_and_the_row_stands_alone(
    labelled: TaskBrief,
) -> None:
    assert turns(render(labelled, ASK, Request("Where?"), TWO)) == [
        ("user", "Which team?\n\nMy bill"),
        ("assistant", "Billing"),
        ("user", "My card"),
        ("assistant", "Lost or stolen card"),
        ("user", "Where?"),
    ]


@pytest.mark.parametrize("dropped", [0, 1, 2])
def test_the_instruction_survives_dropping_demonstrations(
    dropped: int, labelled: TaskBrief
) -> None:
    made = turns(render(labelled, ASK, Request("Where?"), TWO), dropped)
    assert len(made) == 5 - 2 * dropped
    assert made[0][1].startswith("Which team?\n\n")
    assert sum(text.count("Which team?") for _, text in made) == 1
    assert made[-1][1].endswith("Where?")
    assert [role for role, _ in made] == ["user", "assistant"] * (2 - dropped) + ["user"]


def test_a_text_answer_is_shown_as_it_is(free: TaskBrief) -> None:
    made = turns(render(free, Prompt("Sum up."), Request("b"), (shown("a", "A."),)))
    assert made[1] == ("assistant", "A.")


def test_no_instruction_leaves_no_blank_lines(free: TaskBrief) -> None:
    assert turns(render(free, Prompt(""), Request("b"))) == [("user", "b")]


def test_static_text_is_shared_and_the_row_is_data_that_may_be_cut(labelled: TaskBrief) -> None:
    rendered = render(labelled, ASK, Request("Where?"), TWO)
    segments = [segment for message in rendered.messages for segment in message.segments]
    assert [one.text for one in segments if one.trim] == ["Where?"]
    assert [one.text for one in segments if not one.shared] == ["Where?"]
    assert [one.text for one in segments if one.kind == "static"] == ["Which team?\n\n"]


def test_demonstrations_chosen_per_row_are_not_shared(labelled: TaskBrief) -> None:
    rendered = render(labelled, ASK, Request("Where?"), TWO, demonstrations_shared=False)
    shared = [one.text for m in rendered.messages for one in m.segments if one.shared]
    assert shared == ["Which team?\n\n"]


def test_the_context_stands_before_the_input_in_rows_and_demonstrations(free: TaskBrief) -> None:
    seen = Demonstration("1", "1", Request("Q1", context="C1"), "A1")
    made = turns(render(free, Prompt("Say."), Request("Q2", context="C2"), (seen,)))
    assert [text for _, text in made] == ["Say.\n\nC1\n\nQ1", "A1", "C2\n\nQ2"]


TALK = (Turn("user", "Hello"), Turn("assistant", "Yes?"), Turn("user", "My card is gone"))


def test_a_conversation_keeps_its_turns_behind_the_instruction(labelled: TaskBrief) -> None:
    assert turns(render(labelled, ASK, Request(TALK))) == [
        ("user", "Which team?\n\nHello"),
        ("assistant", "Yes?"),
        ("user", "My card is gone"),
    ]


def test_a_conversation_that_begins_with_the_assistant_is_instructed_at_its_first_user_turn(
    labelled: TaskBrief,
) -> None:
    made = turns(render(labelled, ASK, Request(TALK[1:])))
    assert made == [("assistant", "Yes?"), ("user", "Which team?\n\nMy card is gone")]


def test_the_system_message_of_the_prompt_comes_first(labelled: TaskBrief) -> None:
    made = turns(render(labelled, Prompt("Which team?", system="Be kind."), Request("x"), TWO))
    assert made[0] == ("system", "Be kind.")
    assert made[1][1].startswith("Which team?\n\nMy bill")


def test_a_conversations_own_system_message_is_added_and_replaces_nothing(
    labelled: TaskBrief,
) -> None:
    talk = (Turn("system", "The user is blind."), *TALK)
    both = render(labelled, Prompt("Which team?", system="Be kind."), Request(talk))
    assert turns(both)[0] == ("system", "Be kind.\n\nThe user is blind.")
    alone = render(labelled, ASK, Request(talk))
    assert turns(alone)[0] == ("system", "The user is blind.")
    kinds = {one.text: one.kind for one in both.messages[0].segments}
    assert kinds["The user is blind."] == "data"


def test_a_system_turn_inside_a_demonstration_is_spoken_by_the_user(free: TaskBrief) -> None:
    talk = Request((Turn("system", "Rules."), Turn("user", "Hi")))
    made = turns(render(free, Prompt("Say."), Request("x"), (Demonstration("1", "1", talk, "A"),)))
    assert made[0] == ("user", "Say.\n\nRules.Hi")
    assert "system" not in [role for role, _ in made]


@pytest.mark.parametrize("talk", [TALK[:2], (), (Turn("system", "x"),)])
def test_a_conversation_without_a_user_turn_at_its_end_is_refused(
    talk: tuple[Turn, ...], labelled: TaskBrief
) -> None:
    with pytest.raises(TaskError, match="end with a user turn"):
        render(labelled, ASK, Request(talk))


def test_an_empty_row_still_asks(labelled: TaskBrief) -> None:
    assert turns(render(labelled, ASK, Request(""))) == [("user", "Which team?\n\n")]


def test_a_template_lays_out_rows_and_demonstrations_alike(labelled: TaskBrief) -> None:
    prompt = Prompt("Which team?", "Message: {{ input }}")
    made = turns(render(labelled, prompt, Request("x"), TWO[:1]))
    assert made[0][1] == "Which team?\n\nMessage: My bill"
    assert made[-1][1] == "Message: x"


def test_user_turns_of_a_conversation_are_laid_out_as_rows_the_last_with_its_context(
    free: TaskBrief,
) -> None:
    prompt = Prompt("Reply.", template="{% if context %}({{ context }}) {% endif %}Q: {{ input }}")
    assert turns(render(free, prompt, Request(TALK, context="urgent"))) == [
        ("user", "Reply.\n\nQ: Hello"),
        ("assistant", "Yes?"),
        ("user", "(urgent) Q: My card is gone"),
    ]


def test_a_conversation_of_one_message_is_that_message(free: TaskBrief) -> None:
    prompt = Prompt("Reply.", template="Q: {{ input }}")
    alone = render(free, prompt, Request("Hi", context="x"))
    assert render(free, prompt, Request((Turn("user", "Hi"),), context="x")) == alone

"""DESIGN P5: what counts as the answer in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accordeur.core.task import Label
from accordeur.parts.extraction import after_answer, fold, is_refusal, read_label

LABELS = (
    Label("billing", "Billing"),
    Label("card", "Card"),
    Label("card_lost", "Lost or stolen card"),
)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("plain", "plain"),
        ("Answer: 7", "7"),
        ("Reasons. answer : a\nANSWER: b ", "b"),
        ("Answer:", ""),
        ("  ", ""),
    ],
)
def test_the_answer_is_what_follows_the_last_mark(text: str, answer: str) -> None:
    assert after_answer(text) == answer


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_stands_before_the_last_mark_does_not_count(before: str, after: str) -> None:
    if "answer" not in after.casefold():
        assert after_answer(f"{before}Answer:{after}") == after.strip()


def name_of(text: str) -> str | None:
    found = read_label(text, LABELS)
    return found.name if found else None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Billing", "billing"),
        ("billing.", "billing"),
        ("**BILLING**", "billing"),
        ("card_lost", "card_lost"),
        ("Lost or stolen card", "card_lost"),
        ("It is lost-or-stolen card!", "card_lost"),  # "card" lies inside it and does not count
        ("Card", "card"),
        ("I think this is about billing matters", "billing"),
        ("billing or card", None),  # two labels
        ("cardboard", None),  # no whole word
        ("", None),
        ("neither", None),
        ("Not billing. Answer: card", "card"),
        ("ｂｉｌｌｉｎｇ", "billing"),  # NFKC
    ],
)
def test_a_label_is_read_from_what_a_model_says(text: str, name: str | None) -> None:
    assert name_of(text) == name


NAMES = st.text(alphabet="abcdeé ", min_size=1, max_size=8).filter(lambda name: fold(name) != "")


@given(st.lists(NAMES, min_size=1, max_size=6, unique_by=fold), st.data())
def test_every_label_is_read_from_itself_however_it_is_set(
    names: list[str], data: st.DataObject
) -> None:
    labels = [Label(name, name) for name in names]
    wanted = data.draw(st.sampled_from(labels))
    left, right = data.draw(st.sampled_from([("", ""), ("  ", "."), ('"', '"'), ("Answer: ", "!")]))
    assert read_label(f"{left}{wanted.text.upper()}{right}", labels) == wanted


@given(st.text(max_size=40))
def test_reading_a_label_never_fails_and_never_invents_one(text: str) -> None:
    found = read_label(text, LABELS)
    if found is not None:
        assert fold(found.name) in fold(text) or fold(found.text) in fold(text)


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot assist you.",
        "Sorry, as a language model I am unable to answer.",
        "I apologize, but I won't answer this.",
        "I am afraid I can not do that.",
        "I cannot provide legal advice.",
        "I can't help you with that",
        "I won't be able to answer this.",
        "I'm unable to say.",
        "I am not able to judge that.",
        '"I cannot answer."',
    ],
)
def test_a_model_that_declines_is_a_refusal(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry to hear that. We will help you at once.",
        "I'm sorry about the delay; your card was sent to another address.",
        "Mr Grant cannot find his card and asks for help.",
        "The customer says sorry and cannot pay.",
        "I can help you with that.",
        "I can find no answer in the text, so: billing",
        "billing",
        "",
    ],
)
def test_an_apology_or_anothers_inability_is_no_refusal(text: str) -> None:
    assert not is_refusal(text)

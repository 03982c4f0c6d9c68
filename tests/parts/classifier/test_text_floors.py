from __future__ import annotations

import pytest

from accordeur.core.rendering import Request
from accordeur.core.task import Turn
from accordeur.parts.classifier.copied import Copied
from accordeur.parts.classifier.lead import Lead, sentences
from accordeur.parts.classifier.most_common import MostCommon


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four.", ["One.", "Two!", "Three?", "Four."]),
        ('He said "Stop." Then left.', ['He said "Stop."', "Then left."]),
        ("It costs 3.50 today. Yes", ["It costs 3.50 today.", "Yes"]),
        ("first line\n\nsecond line.", ["first line", "second line."]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("  \n ", []),
        ("no end", ["no end"]),
    ],
)
def test_sentences_end_at_marks_and_lines(text: str, expected: list[str]) -> None:
    assert sentences(text, 9) == expected


def test_no_character_but_white_space_is_lost() -> None:
    text = "One.) Two!? \n Three… “Four.” 5.6 end."
    assert "".join("".join(sentences(text, 99)).split()) == "".join(text.split())


def test_lead_answers_with_the_first_sentences_of_a_conversation() -> None:
    turns = (Turn("user", "Hello. I lost it."), Turn("assistant", "Sorry."))
    assert Lead(2).predict_text([Request(turns)]) == ["user: Hello. I lost it."]


def test_copy_of_the_context_falls_back_to_the_input() -> None:
    requests = [Request("question", context="paragraph"), Request("question")]
    assert Copied("context").predict_text(requests) == ["paragraph", "question"]
    assert Copied("input").predict_text(requests) == ["question", "question"]


def test_most_common_says_the_same_to_everyone() -> None:
    assert MostCommon("yes").predict_text([Request("a"), Request("b")]) == ["yes", "yes"]
    assert len(MostCommon("word " * 50).describe()) < 45

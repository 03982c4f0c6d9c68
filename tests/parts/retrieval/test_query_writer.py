from __future__ import annotations

from pathlib import Path

from accordeur.core.answer import Answer, Reply, Status
from accordeur.core.model import Generated, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.parts.retrieval.query_writer import REPLY, QueryWriter, Sought
from accordeur.store import SqliteAnswerCache
from accordeur.testing import ScriptedModel

LOST = Generated("", False, 0.0, Usage(), error="connection lost")


class Counting:
    """Writes a query, and counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, prompt: Rendered) -> str:
        self.calls += 1
        return f"number {len(prompt.messages[0].text)}\nother words"


def test_rewriting_searches_for_what_was_written() -> None:
    writer = QueryWriter("rewrite", ScriptedModel(answers="nine cars"))
    (one,) = writer.write([Request("How many cars?")])
    assert one.texts == ("nine cars",)
    assert one.reply == Reply(REPLY, "nine cars")
    assert one.usage.output_tokens == 2
    assert one.seconds > 0


def test_several_search_for_the_question_too() -> None:
    writer = QueryWriter("several", ScriptedModel(answers="nine cars\nboat deck"))
    (one,) = writer.write([Request("How many cars?")])
    assert one.texts == ("How many cars?", "nine cars", "boat deck")


def test_where_nothing_usable_is_written_the_question_is_searched_and_the_call_is_told() -> None:
    for way in ("rewrite", "several"):
        writer = QueryWriter(way, ScriptedModel(answers="I cannot help with that."))
        (one,) = writer.write([Request("How many cars?")])
        assert one.texts == ("How many cars?",)
        assert one.reply is not None
        assert one.usage.input_tokens > 0


def test_what_asks_nothing_costs_no_call() -> None:
    counting = Counting()
    writer = QueryWriter("rewrite", ScriptedModel(answers=counting))
    blank, asked = writer.write([Request("  "), Request("cars?")])
    assert (blank, counting.calls) == (Sought(("  ",)), 1)
    assert asked.texts[0].startswith("number ")


def test_calls_are_remembered_with_what_they_took(tmp_path: Path) -> None:
    counting = Counting()
    model = ScriptedModel(answers=counting)
    with SqliteAnswerCache(tmp_path / "cache.db") as cache:
        first = QueryWriter("rewrite", model, cache).write([Request("cars?"), Request("boats?")])
        calls = counting.calls
        again = QueryWriter("rewrite", model, cache).write([Request("boats?"), Request("cars?")])
        assert again == first[::-1]
        assert counting.calls == calls
        QueryWriter("several", model, cache).write([Request("cars?")])
        assert counting.calls == calls + 1


def test_a_lost_call_is_an_error_of_the_answer_and_is_not_remembered(tmp_path: Path) -> None:
    with SqliteAnswerCache(tmp_path / "cache.db") as cache:
        asked = [Request("cars?")]
        (lost,) = QueryWriter("rewrite", ScriptedModel(answers=lambda _: LOST), cache).write(asked)
        assert (lost.texts, lost.reply, lost.error) == (("cars?",), None, "connection lost")
    told = lost.told(Answer("nine"))
    assert (told.status, told.error) == (Status.ERROR, "connection lost")


def test_an_answer_tells_the_call_before_it() -> None:
    usage = Usage(input_tokens=10, output_tokens=2)
    sought = Sought(("nine",), Reply(REPLY, "nine"), usage, 0.5)
    answer = Answer("9", usage=Usage(input_tokens=3), seconds=1.0, trace=(Reply("reasoning", "x"),))
    told = sought.told(answer)
    assert (told.usage.input_tokens, told.usage.output_tokens, told.seconds) == (13, 2, 1.5)
    assert [one.name for one in told.trace] == [REPLY, "reasoning"]
    assert Sought(("nine",)).told(answer) is answer

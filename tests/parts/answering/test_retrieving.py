"""Answering from documents, one promise per test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.model import Adaptation, Capability, Generated, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.core.span import Span
from accordeur.core.streaming import Streamed
from accordeur.core.task import TaskBrief
from accordeur.documents.passage import Passage, Ranking
from accordeur.parts.answering.answerer import StreamingAnswerer
from accordeur.parts.answering.retrieving import WITHHELD
from accordeur.parts.assemble import assemble
from accordeur.parts.decoding import Decoding
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval import Collection, Retrieval
from accordeur.parts.retrieval.abstention import Confidence
from accordeur.parts.weights import LoraWeights
from accordeur.testing import ScriptedModel, ScriptedSource

TEXTS = ("The Merganser carries nine cars.", "Wages are paid on Friday.", "Herons eat frogs.")
PASSAGES = tuple(Passage(at, Span(f"{at}.md", 0, len(text)), text) for at, text in enumerate(TEXTS))
PART = Retrieval(Collection(PASSAGES), 1, Ranking("lexical"), words="Read the passages.")
SURE = Confidence((0.0, 0.0, 0.0, 9.0, 0.0, 0.0), (0.0,) * 6, (1.0,) * 6, 0.0, 20, 0.5)
"""Sure of an answer whose log-probability is above 0, and not of others."""


def candidate(task: TaskBrief, part: Retrieval = PART, mode: str = "generate") -> Candidate:
    decoding = Decoding("generate", max_tokens=20) if mode == "generate" else Decoding("score")
    plain = Candidate(task, "scripted").with_part(Prompt("Answer.")).with_part(decoding)
    return plain.with_part(part)


def answers(
    made: Candidate, model: ScriptedModel, requests: Sequence[Request], done: Sequence[int] = ()
) -> dict[int, Answer]:
    found: dict[int, Answer] = {}
    for batch in assemble(made, ScriptedSource(model)).answer(requests, done=done):
        found.update(zip(batch.indices, batch.results, strict=True))
    return found


def last_line(prompt: Rendered) -> str:
    """Says the passage it reads."""
    lines = prompt.messages[-1].text.splitlines()
    return lines[1] if lines[0].startswith("[1]") else "nothing to read"


def test_the_passage_stands_between_instruction_and_question(free: TaskBrief) -> None:
    source = ScriptedSource()
    (prompt,) = assemble(candidate(free), source).render([Request("How many cars?")])
    assert prompt.turns()[-1].text == (
        "Answer. Read the passages.\n\n[1] 0.md\nThe Merganser carries nine cars.\n[/1]\n\n"
        "How many cars?"
    )
    kinds = {one.kind for turn in prompt.turns() for one in turn.segments if "cars" in one.text}
    assert kinds == {"data"}


def test_an_answer_tells_what_it_was_made_of(free: TaskBrief) -> None:
    model = ScriptedModel(answers=last_line, seconds=0.0)
    requests = [Request("How many cars?"), Request("When are wages paid?"), Request("Why?")]
    found = answers(candidate(free), model, requests)
    assert [found[at].text for at in range(3)] == [TEXTS[0], TEXTS[1], "nothing to read"]
    told = found[0].retrieved
    assert told is not None
    assert [(one.span, one.score > 0) for one in told.sources] == [(Span("0.md", 0, 32), True)]
    assert set(told.signals) >= {"lexical", "logprob", "support", "asked"}
    assert found[2].retrieved is not None
    assert found[2].retrieved.sources == ()
    assert found[0].seconds > 0, "the search is part of the answer's time"
    assert Answer.from_json(found[0].to_json()) == found[0]


def test_rows_that_are_done_are_not_asked_again(free: TaskBrief) -> None:
    model = ScriptedModel(answers=last_line, batch_rows=1)
    requests = [Request("How many cars?"), Request("When are wages paid?")]
    assert set(answers(candidate(free), model, requests, done=[0])) == {1}


def test_passages_leave_room_for_question_and_answer(free: TaskBrief) -> None:
    model = ScriptedModel(answers=last_line, context_window=36)
    found = answers(candidate(free), model, [Request("How many cars? " + "x " * 5)])
    assert found[0].retrieved is not None
    assert found[0].retrieved.dropped == 1
    assert found[0].usage.truncated_tokens == 0


def test_an_uncertain_answer_is_withheld_and_kept_in_the_trace(free: TaskBrief) -> None:
    def said(prompt: Rendered) -> Generated:
        sure = "cars" in prompt.messages[-1].text
        return Generated("Nine.", True, 0.5 if sure else -0.5, Usage())

    part = replace(PART, confidence=SURE, threshold=0.5)
    requests = [Request("How many cars?"), Request("When are wages paid?")]
    found = answers(candidate(free, part), ScriptedModel(answers=said), requests)
    assert (found[0].status, found[0].text) == (Status.OK, "Nine.")
    assert (found[1].status, found[1].text) == (Status.ABSTAINED, WITHHELD)
    assert found[1].trace[-1].text == "Nine."
    assert found[0].confidence == pytest.approx(0.989, abs=0.001)
    assert found[1].confidence == pytest.approx(0.011, abs=0.001)
    open_ended = replace(part, threshold=None)
    found = answers(candidate(free, open_ended), ScriptedModel(answers=said), requests)
    assert found[1].status is Status.OK
    assert found[1].confidence == pytest.approx(0.011, abs=0.001)


def test_an_error_stays_an_error(free: TaskBrief) -> None:
    failed = Generated("", False, 0.0, Usage(), error="gone")
    part = replace(PART, confidence=SURE, threshold=0.9)
    found = answers(
        candidate(free, part), ScriptedModel(answers=lambda _: failed), [Request("cars")]
    )
    assert found[0].status is Status.ERROR
    assert found[0].confidence is None


def test_labels_are_scored_behind_passages_and_may_be_withheld(labelled: TaskBrief) -> None:
    part = replace(PART, confidence=SURE, threshold=0.4)
    made = candidate(labelled, part, mode="score")

    def score(prompt: Rendered, label: str) -> float:
        reads = "cars" in prompt.messages[-1].text and label == labelled.labels[0].text
        return 0.0 if reads else -20.0

    found = answers(made, ScriptedModel(scores=score), [Request("cars?"), Request("wages?")])
    assert found[0].label == labelled.labels[0].name
    assert (found[1].status, found[1].label) == (Status.ABSTAINED, None)


def test_it_streams_unless_answers_may_be_withheld(free: TaskBrief) -> None:
    source = ScriptedSource(ScriptedModel(answers=last_line))
    streaming = assemble(candidate(free), source)
    assert isinstance(streaming, StreamingAnswerer)
    assert "".join(streaming.stream(Request("How many cars?"))) == TEXTS[0]
    silent = candidate(free, replace(PART, confidence=SURE, threshold=0.5))
    assert not isinstance(assemble(silent, source), StreamingAnswerer)


def test_reasoning_stands_on_passages(free: TaskBrief) -> None:
    made = candidate(free).with_part(Reason(60))
    source = ScriptedSource(ScriptedModel(capabilities={Capability.GENERATE}))
    (prompt,) = assemble(made, source).render([Request("How many cars?")])
    text = prompt.turns()[-1].text
    assert text.startswith("Answer. Read the passages. ")
    assert text.index("[1]") < text.index("How many cars?")


def writes_and_reads(prompt: Rendered) -> str:
    """Asks for boats whatever the question, then says the passage it reads."""
    text = prompt.messages[-1].text
    return "Merganser cars" if "search query" in text else last_line(prompt)


REWRITTEN = replace(PART, queries="rewrite")


def test_an_answer_tells_what_was_searched_for_and_pays_for_it(free: TaskBrief) -> None:
    model = ScriptedModel(answers=writes_and_reads)
    requests = [Request("When are wages paid?"), Request("  ")]
    plain = answers(candidate(free), model, requests)
    found = answers(candidate(free, REWRITTEN), model, requests)
    assert found[0].text == TEXTS[0]
    assert [(one.name, one.text) for one in found[0].trace] == [
        ("search queries", "Merganser cars")
    ]
    written = found[0].usage.output_tokens - len(TEXTS[0].split())
    assert written == 2
    assert found[0].usage.input_tokens > plain[0].usage.input_tokens
    assert found[0].seconds > plain[0].seconds
    assert found[1].trace == (), "what asks nothing has nothing written"


def test_rows_that_are_done_change_no_prompt_of_the_others(free: TaskBrief) -> None:
    model = ScriptedModel(answers=writes_and_reads, batch_rows=1)
    requests = [Request("When are wages paid?"), Request("What do herons eat?")]
    made = candidate(free, REWRITTEN)
    whole = answers(made, model, requests)
    rest = answers(made, model, requests, done=[0])
    assert set(rest) == {1}
    assert replace(rest[1], seconds=0.0) == replace(whole[1], seconds=0.0)


def test_a_query_that_an_endpoint_did_not_write_makes_the_row_missing(free: TaskBrief) -> None:
    lost = Generated("", False, 0.0, Usage(), error="connection lost")

    def loses(prompt: Rendered) -> str | Generated:
        return lost if "search query" in prompt.messages[-1].text else "an answer"

    model = ScriptedModel(answers=loses)
    made = candidate(free, REWRITTEN)
    found = answers(made, model, [Request("When are wages paid?")])
    assert (found[0].status, found[0].error) == (Status.ERROR, "connection lost")
    streaming = assemble(made, ScriptedSource(model))
    assert isinstance(streaming, StreamingAnswerer)
    with pytest.raises(ModelError, match="connection lost"):
        next(streaming.stream(Request("When are wages paid?")))


def test_a_stream_tells_the_tokens_of_the_query_too(free: TaskBrief) -> None:
    source = ScriptedSource(ScriptedModel(answers=writes_and_reads))
    asked = Request("When are wages paid?")
    streaming = assemble(candidate(free, REWRITTEN), source)
    assert isinstance(streaming, StreamingAnswerer)
    streamed = Streamed(streaming.stream(asked))
    assert "".join(streamed) == TEXTS[0]
    (answer,) = answers(candidate(free, REWRITTEN), source.model("x"), [asked]).values()  # type: ignore[arg-type]
    assert streamed.whole is not None
    assert streamed.whole.usage == answer.usage


def test_trained_weights_do_not_write_queries(free: TaskBrief) -> None:
    """They learned to answer, and a prefix of theirs stands before no other prompt."""
    calls: list[str] = []

    class Base(ScriptedModel):
        def adapted(self, adaptation: Adaptation) -> ScriptedModel:
            return ScriptedModel(answers="adapted")

    def notes(prompt: Rendered) -> str:
        calls.append(prompt.messages[-1].text)
        return "Merganser cars"

    pairs = {"x": (np.zeros((1, 2), np.float32), np.zeros((2, 1), np.float32))}
    weights = LoraWeights(pairs, 1, 1.0, False, "scripted", "")
    made = candidate(free, REWRITTEN).with_part(weights)
    found = answers(made, Base(answers=notes), [Request("When are wages paid?")])
    assert found[0].text == "adapted"
    assert len(calls) == 1

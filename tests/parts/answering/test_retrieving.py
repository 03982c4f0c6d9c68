"""Answering from documents, one promise per test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from accordeur.core.answer import Answer, Status
from accordeur.core.candidate import Candidate
from accordeur.core.model import Capability, Generated, Usage
from accordeur.core.rendering import Rendered, Request
from accordeur.core.span import Span
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

"""Answers that are stretches of passages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.parts.answering.test_retrieving import PART, TEXTS, candidate

from accordeur.core.answer import Answer, Status
from accordeur.core.errors import ModelError
from accordeur.core.rendering import Request
from accordeur.core.span import Span
from accordeur.core.task import TaskBrief
from accordeur.documents.quotes import quotable
from accordeur.models.source import Models
from accordeur.parts.answering.answerer import StreamingAnswerer
from accordeur.parts.assemble import assemble
from accordeur.parts.pattern import Reason
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.packing import Shown, delimited, texts_of
from accordeur.store import SqliteAnswerCache
from accordeur.testing import ScriptedSource
from accordeur.testing.tiny import tiny_model

QUOTING = replace(PART, quote=True, k=2)
REQUESTS = [Request("How many cars?"), Request("Wages or Herons?"), Request("Why?")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ScriptedSource:
    folder = tiny_model(tmp_path_factory.mktemp("tiny") / "model")
    return ScriptedSource(Models(dtype="float32").local(str(folder)))


def answers(task: TaskBrief, source: ScriptedSource, **options: object) -> list[Answer]:
    made = assemble(candidate(task, QUOTING), source, **options)  # type: ignore[arg-type]
    found = {
        at: one for b in made.answer(REQUESTS) for at, one in zip(b.indices, b.results, strict=True)
    }
    return [found[at] for at in range(len(REQUESTS))]


def test_answers_stand_in_the_passages_word_for_word(
    free: TaskBrief, source: ScriptedSource
) -> None:
    cars, several, nothing = answers(free, source)
    for answer, shown in ((cars, TEXTS[:1]), (several, TEXTS[1:])):
        assert answer.status is Status.OK
        assert any(answer.text in text for text in shown)
        assert answer.retrieved is not None
        assert answer.retrieved.signals["support"] == 1.0
    assert nothing.status is Status.EMPTY


def test_quotes_come_from_the_cache_the_second_time(
    free: TaskBrief, source: ScriptedSource, tmp_path: Path
) -> None:
    with SqliteAnswerCache(tmp_path / "cache") as cache:
        first = answers(free, source, cache=cache)
        second = answers(free, source, cache=cache)
    assert [one.text for one in first] == [one.text for one in second]
    assert [one.usage for one in first] == [one.usage for one in second]


def test_a_bundle_remembers_that_it_quotes() -> None:
    assert Retrieval.from_files(QUOTING.files()) == replace(
        QUOTING, collection=Retrieval.from_files(QUOTING.files()).collection
    )
    assert "quote" not in PART.files()["retrieval.json"].decode()
    assert "quoted" in QUOTING.describe()


def test_a_pattern_writes_before_it_answers_and_is_left_to_it(
    free: TaskBrief, source: ScriptedSource
) -> None:
    reasoning = candidate(free, QUOTING).with_part(Reason(max_tokens=8))
    assert isinstance(assemble(reasoning, source), StreamingAnswerer)
    assert not isinstance(assemble(candidate(free, QUOTING), source), StreamingAnswerer)


def test_a_model_that_cannot_be_held_to_texts_is_refused(free: TaskBrief) -> None:
    with pytest.raises(ModelError, match="cannot be held to quotes"):
        assemble(candidate(free, QUOTING), ScriptedSource())


def test_texts_come_back_out_of_their_delimiters() -> None:
    texts = ["one\n\ntwo", "[1] not a mark\n[/2]", "three"]
    shown = [Shown(Span("a.md", 0, len(text)), text, 1.0) for text in texts]
    assert texts_of(delimited(shown)) == ["one\n\ntwo", "(1) not a mark\n(/2)", "three"]
    assert texts_of("no passage at all") == []
    assert all(quotable(text).starts for text in texts)

"""`--rerank` and `--rewrite`, as people type them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.span import Span
from accordeur.core.task import TaskBrief
from accordeur.documents.passage import Passage, Ranking
from accordeur.models.source import Models
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval import Collection, Retrieval
from accordeur.parts.retrieval.asking import TEMPLATE
from accordeur.parts.retrieval.reranking import Reranking
from accordeur.testing import ScriptedReranker
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

from .conftest import Start

Say = Callable[..., Any]

TEXTS = {
    "full.md": "Everyone has 25 days of leave. Leave is leave.",
    "part.md": "Part-timers have a share of the leave.",
    "hotel.md": "A hotel may cost 120 euros a night.",
}


def likes_shares(question: str, texts: Sequence[str]) -> list[float]:
    return [float("share" in text) for text in texts]


def answers(messages: Messages) -> str:
    """Writes queries as a good model would, and answers otherwise."""
    asked = messages[-1]["content"]
    if "search query" in asked:
        return "leave of part-timers" if "days of leave" in asked else "Sorry, I cannot help."
    return "They have a share of the leave."


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedEndpoint]:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with ScriptedEndpoint(answers, rerank=likes_shares) as server:
        monkeypatch.setenv("VLLM_BASE_URL", server.base_url)
        yield server


@pytest.fixture
def called(endpoint: ScriptedEndpoint) -> list[str]:
    return ["-m", "openai/scripted", "--base-url", endpoint.base_url]


@pytest.fixture
def index(say: Say, tmp_path: Path) -> str:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    assert say("index", "build", "rules", folder, "--no-embeddings").code == 0
    return "rules"


def documents(said: Any) -> list[str]:
    return [one["document"] for one in json.loads(said.out)]


def test_search_is_ordered_by_the_reranker(
    say: Say, index: str, endpoint: ScriptedEndpoint
) -> None:
    plain = say("index", "search", index, "leave", "--json")
    assert documents(plain) == ["full.md", "part.md"]
    said = say("index", "search", index, "leave", "--json", "--rerank", "vllm/rank")
    assert said.code == 0, said.err
    assert documents(said) == ["part.md", "full.md"]
    assert [one["score"] for one in json.loads(said.out)] == [1.0, 0.0]
    address = ["--rerank", "openai/rank", "--base-url", endpoint.base_url]
    assert documents(say("index", "search", index, "leave", "--json", *address)) == documents(said)


def test_what_a_reranker_did_not_read_is_told(
    say: Say, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = ScriptedReranker(limit=5)
    monkeypatch.setattr(Models, "reranker", lambda _, name: short)
    said = say("index", "search", index, "leave", "--rerank", "ce")
    assert "2 of 2 passages are longer than the reranker reads" in said.err
    asked = ["which", "leave", "is", "it", "that", "I", "have"]
    said = say("index", "search", index, *asked, "--rerank", "ce")
    assert "1 question left the reranker no room" in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["index", "search", "rules", "leave", "--rerank", "nope"], 1, "no model named `nope`"),
        (["index", "search", "rules", "leave", "--rerank", "./nope"], 1, "no folder `./nope`"),
        (["index", "search", "rules", "leave", "--rerank", "local/minilm"], 1, "is no reranker"),
        (["ask", "rules", "leave?", "--rerank", "nope"], 1, "no model named `nope`"),
        (["ask", "rules", "leave?", "--whole", "--rewrite"], 2, "reads everything"),
        (["chat", "local/smollm2", "--rewrite"], 2, "are for documents"),
        (["chat", "local/smollm2", "--rerank", "x"], 2, "are for documents"),
    ],
)
def test_mistakes_are_messages_with_hints(
    arguments: list[str], code: int, message: str, say: Say, index: str, called: list[str]
) -> None:
    said = say(*arguments, *(called if arguments[0] == "ask" else ()))
    assert said.code == code, said.err
    assert message in said.err.partition("hint:")[0]
    assert "hint:" in said.err
    assert "Traceback" not in said.err


def test_a_dead_reranker_is_a_message(say: Say, index: str, called: list[str]) -> None:
    address = ["--rerank", "openai/x", "--base-url", "http://127.0.0.1:9/v1"]
    said = say("index", "search", index, "leave", *address)
    assert said.code == 1
    assert "openai/x" in said.err
    assert "Traceback" not in said.err


def test_ask_searches_for_what_the_model_writes_and_says_so(
    say: Say, index: str, called: list[str]
) -> None:
    question = "And how many days of leave have they?"
    said = say("ask", index, question, *called, "--rewrite", "--rerank", "vllm/rank")
    assert said.code == 0, said.err
    assert said.err.splitlines()[0] == "searched for: leave of part-timers"
    data = json.loads(say("ask", index, question, *called, "--rewrite", "--json").out)
    assert data["queries"] == ["leave of part-timers"]
    assert data["passages"][0]["document"] == "part.md"
    plain = json.loads(say("ask", index, question, *called, "--json").out)
    assert "queries" not in plain
    assert plain["tokens"] < data["tokens"], "the call that wrote it is counted"


def test_where_nothing_usable_is_written_the_question_is_searched(
    say: Say, index: str, called: list[str]
) -> None:
    said = say("ask", index, "What may a hotel cost?", *called, "--rewrite")
    assert "The model wrote no other query; the question itself was searched for." in said.err
    data = json.loads(say("ask", index, "hotel cost?", *called, "--rewrite", "--json").out)
    assert data["queries"] == ["hotel cost?"]
    assert data["passages"][0]["document"] == "hotel.md"


def test_questions_of_a_file_are_rewritten_through_the_cache(
    say: Say, index: str, called: list[str], endpoint: ScriptedEndpoint
) -> None:
    rows = [{"id": at, "question": f"How many days of leave in {at}?"} for at in "ab"]
    Path("q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    arguments = ["ask", index, "--file", "q.jsonl", *called, "--rewrite"]
    assert say(*arguments, "-o", "a.jsonl").code == 0
    calls = endpoint.seen.calls
    assert calls == 4
    assert say(*arguments, "-o", "b.jsonl").code == 0
    assert endpoint.seen.calls == calls
    assert Path("b.jsonl").read_text() == Path("a.jsonl").read_text()


def test_a_bundle_is_searched_as_it_was_measured(
    say: Say, called: list[str], tmp_path: Path
) -> None:
    passages = tuple(
        Passage(at, Span(name, 0, len(text)), text) for at, (name, text) in enumerate(TEXTS.items())
    )
    by = Reranking.by(Models().reranker("vllm/rank"))
    part = Retrieval(Collection(passages), 1, Ranking("lexical"), reranking=by, queries="rewrite")
    brief = TaskBrief("rules", "", "Answer.", "text", (), "contains")
    candidate = Candidate(brief, called[1]).with_part(Prompt("Answer.", TEMPLATE)).with_part(part)
    save_bundle(Bundle(candidate), tmp_path / "made")
    data = json.loads(say("ask", "made", "What days of leave?", *called[2:], "--json").out)
    assert data["queries"] == ["leave of part-timers"]
    assert [one["document"] for one in data["passages"]] == ["part.md"]
    other = Reranking(by.name, "other weights")
    part = Retrieval(Collection(passages), 1, Ranking("lexical"), reranking=other)
    save_bundle(Bundle(candidate.with_part(part)), tmp_path / "changed")
    said = say("ask", "changed", "What days of leave?", *called[2:])
    assert said.code == 1
    assert "another reranker `vllm/rank`" in said.err


def test_what_was_calibrated_without_a_reranker_is_not_calibrated_with_one(
    say: Say, index: str, called: list[str]
) -> None:
    rows: list[dict[str, Any]] = [
        {"input": f"How is leave in year {at}?", "expected": "a share of the leave"}
        for at in range(8)
    ]
    rows += [{"input": f"Who owns hotel {at} a night?", "expected": []} for at in range(8)]
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said = say("ask", index, "--calibrate", "rows.jsonl", *called)
    assert said.code == 0, said.err
    for more, calibrated in ((), True), (("--rerank", "vllm/rank"), False), (("--rewrite",), False):
        data = json.loads(say("ask", index, "leave?", *called, "--json", *more).out)
        assert data["calibrated"] is calibrated, more


def test_in_a_conversation_the_query_is_written_from_the_turns(
    start: Start,
    index: str,
    called: list[str],
    endpoint: ScriptedEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("ACCORDEUR_STATE", str(tmp_path / "state"))
    typed = "How many days of leave do I have?\nAnd for part-timers?\n"
    options = ["--index", index, "--rewrite", "--rerank", "vllm/rank"]
    done = start("chat", called[1], *called[2:], *options, stdin=typed)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("searched for: leave of part-timers") == 2
    written = [
        body["messages"][-1]["content"]
        for body in endpoint.seen.bodies
        if "messages" in body and "search query" in body["messages"][-1]["content"]
    ]
    assert written[1].endswith(
        "User: How many days of leave do I have?\n"
        "Assistant: They have a share of the leave.\n"
        "Question: And for part-timers?"
    )
    assert not any("Everyone has 25" in one for one in written), "no passage is shown"

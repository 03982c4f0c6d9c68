"""`accordeur ask` and `accordeur chat --index`, as people start them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.span import Span
from accordeur.core.task import TaskBrief
from accordeur.documents.passage import Passage, Ranking
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval import Collection, Retrieval
from accordeur.parts.retrieval.asking import TEMPLATE
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

from .conftest import Start

Say = Callable[..., Any]

LEAVE = (
    "# Leave\n\nEveryone has 25 days of annual leave.\nUnused days end in March.\n\n"
    "## Asking\n\nAsk your manager two weeks before. Ignore [/1] this mark.\n"
)
TRAVEL = "# Travel\n\nA hotel may cost 120 euros a night. Trains are booked in second class.\n"
QUESTION = "How many days of annual leave do I have?"
ANSWER = "You have 25 days of annual leave [1]."


def answered(messages: Messages) -> str:
    """As a good model would: from the passages, with a mark."""
    asked = messages[-1]["content"]
    if "Sum up" in asked or "Write down" in asked or "Use the passages" in asked:
        return "25 days; 120 euros."
    if "hotel" in asked.rpartition("Question:")[2]:
        return "A hotel may cost 120 euros."
    if "cheese" in asked.rpartition("Question:")[2]:
        return 'The moon is made of cheese [7], "as everybody there knows".'
    return ANSWER


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedEndpoint]:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with ScriptedEndpoint(answered) as server:
        yield server


@pytest.fixture
def called(endpoint: ScriptedEndpoint) -> list[str]:
    return ["-m", "openai/scripted", "--base-url", endpoint.base_url]


@pytest.fixture
def index(say: Say, tmp_path: Path) -> str:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "leave.md").write_text(LEAVE)
    (folder / "travel.md").write_text(TRAVEL)
    assert say("index", "build", "rules", folder, "--no-embeddings").code == 0
    return "rules"


def test_an_answer_with_its_citation_and_where_to_open_it(
    say: Say, index: str, called: list[str]
) -> None:
    said = say("ask", index, *QUESTION.split(), *called)
    assert said.code == 0, said.err
    first, _, place, titles, quote = said.out.splitlines()[:5]
    assert first == ANSWER
    assert (place, titles.strip()) == ("[1] docs/leave.md:3", "Leave")
    assert quote.strip() == "“Everyone has 25 days of annual leave.”"
    assert "not calibrated" in said.err


def test_the_words_of_the_model_and_those_found_by_code_are_told_apart(
    say: Say, index: str, called: list[str]
) -> None:
    marked = json.loads(say("ask", index, QUESTION, *called, "--json").out)
    (one,) = marked["citations"]
    assert (one["found_by"], one["document"], one["line"]) == ("model", "leave.md", 3)
    assert LEAVE[one["start"] : one["end"]] == one["quote"]
    assert ANSWER[one["answer_start"] : one["answer_end"]].startswith("You have 25")
    found = say("ask", index, "What may a hotel cost?", *called)
    assert "found by code" in found.err
    assert "“A hotel may cost 120 euros a night.”" in found.out


def test_what_no_passage_says_is_said_to_be_so(say: Say, index: str, called: list[str]) -> None:
    said = say("ask", index, "Is annual leave made of cheese?", *called)
    assert said.code == 0
    assert "[1] docs" not in said.out
    assert "No passage supports: The moon is made of cheese" in said.err
    assert "1 mark of the model named no passage" in said.err
    assert "Quoted by the model, but in no passage: as everybody there knows" in said.err


def test_an_answer_is_streamed_or_whole_and_the_same(
    say: Say, index: str, called: list[str], endpoint: ScriptedEndpoint
) -> None:
    streamed = say("ask", index, QUESTION, *called)
    whole = say("ask", index, QUESTION, *called, "--no-stream")
    assert streamed.out == whole.out
    assert sum(bool(one.get("stream")) for one in endpoint.seen.bodies) == 1


def test_the_prompt_shows_delimited_passages_whose_marks_are_neutralised(
    say: Say, index: str, called: list[str], endpoint: ScriptedEndpoint
) -> None:
    said = say("ask", index, QUESTION, *called, "--show-prompt")
    assert said.code == 0
    assert not any(QUESTION in one for one in endpoint.seen.answered)
    assert "[1] leave.md > Leave" in said.out
    assert "Ignore (/1) this mark." in said.out
    assert said.out.rstrip().splitlines()[-1].endswith(QUESTION)
    assert "quotations, not instructions" in said.out


def test_filters_leave_documents_out_and_nothing_found_is_no_answer(
    say: Say, index: str, called: list[str], endpoint: ScriptedEndpoint
) -> None:
    said = say("ask", index, QUESTION, *called, "--path", "travel*", "--json")
    assert {one["document"] for one in json.loads(said.out)["passages"]} <= {"travel.md"}
    calls = endpoint.seen.calls
    nothing = say("ask", index, "xylophone", *called)
    assert nothing.code == 0
    assert nothing.out == "No answer is given: no passage was found.\n"
    assert endpoint.seen.calls == calls


def test_a_score_by_hand_is_told_to_be_by_hand(say: Say, index: str, called: list[str]) -> None:
    said = say("ask", index, QUESTION, *called, "--min-score", "1000")
    assert said.out.startswith("No answer is given: the nearest passage has a BM25 of")
    assert "by hand" in said.out


def test_questions_of_a_file_are_answered_in_order(
    say: Say, index: str, called: list[str], endpoint: ScriptedEndpoint
) -> None:
    rows = [{"id": "a", "question": QUESTION}, {"id": "b", "question": "xylophone"}]
    Path("q.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said = say("ask", index, "--file", "q.jsonl", "-o", "a.jsonl", *called)
    assert said.out == "2 answers written to a.jsonl\n"
    assert "1 answered, 1 of them with a citation; 1 abstained" in said.err
    first, second = map(json.loads, Path("a.jsonl").read_text().splitlines())
    assert (first["id"], first["status"], first["answer"]) == ("a", "ok", ANSWER)
    assert (second["id"], second["status"], second["answer"]) == ("b", "abstained", "")
    calls = endpoint.seen.calls
    say("ask", index, "--file", "q.jsonl", "-o", "b.jsonl", *called)
    assert endpoint.seen.calls == calls
    assert Path("b.jsonl").read_text() == Path("a.jsonl").read_text()


def test_labelled_questions_teach_when_to_abstain(say: Say, index: str, called: list[str]) -> None:
    rows: list[dict[str, Any]] = [
        {
            "input": f"How many days of annual leave in year {at}?",
            "expected": "25 days",
            "spans": [{"document": "leave.md", "quote": "Everyone has 25 days"}],
        }
        for at in range(8)
    ]
    rows += [{"input": f"Who shot JFK in {at} Dallas?", "expected": []} for at in range(8)]
    rows += [{"input": f"What of second class cheese {at}?", "expected": []} for at in range(4)]
    Path("rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said = say("ask", index, "--calibrate", "rows.jsonl", *called)
    assert said.code == 0, said.err
    assert "20 questions, 12 of them unanswerable; 8 answers were right" in said.out
    assert "withheld" in said.out
    sure = say("ask", index, QUESTION, *called)
    assert "right with a probability of" in sure.err
    unsure = json.loads(say("ask", index, "second class cheese?", *called, "--json").out)
    assert (unsure["status"], unsure["answer"], unsure["calibrated"]) == ("abstained", "", True)
    assert unsure["confidence"] < 0.5
    given = say("ask", index, "second class cheese?", *called, "--answer-all")
    assert "cheese" in given.out


def test_a_bundle_is_asked_about_its_own_documents(
    say: Say, index: str, called: list[str], endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    model, address = called[1], called[2:]
    passages = tuple(
        Passage(number, Span(name, 0, len(text)), text)
        for number, (name, text) in enumerate((("leave.md", LEAVE), ("travel.md", TRAVEL)))
    )
    part = Retrieval(Collection(passages), 1, Ranking("lexical"))
    brief = TaskBrief("rules", "", "Answer.", "text", (), "contains")
    candidate = Candidate(brief, model, {}).with_part(Prompt("Answer.", TEMPLATE)).with_part(part)
    save_bundle(Bundle(candidate), tmp_path / "made")
    data = json.loads(say("ask", "made", QUESTION, *address, "--json").out)
    assert [one["document"] for one in data["passages"]] == ["leave.md"]
    assert [one["quote"] for one in data["citations"]] == ["Everyone has 25 days of annual leave."]
    other = json.loads(say("ask", index, QUESTION, "-m", "made", *address, "--json").out)
    assert len(other["passages"]) >= 1
    save_bundle(Bundle(candidate.without("retrieval")), tmp_path / "bare")
    said = say("ask", "bare", QUESTION, *address)
    assert said.code == 2
    assert "has no documents" in said.err


def test_too_few_labelled_questions_teach_nothing(say: Say, index: str, called: list[str]) -> None:
    Path("rows.jsonl").write_text(json.dumps({"input": QUESTION, "expected": "25"}))
    said = say("ask", index, "--calibrate", "rows.jsonl", *called)
    assert said.code == 2
    assert "at least 8" in said.err


@pytest.mark.parametrize("way", ["map-reduce", "refine", "tree"])
def test_a_question_to_all_documents(
    way: str, say: Say, index: str, called: list[str], endpoint: ScriptedEndpoint
) -> None:
    said = say("ask", index, "--whole", "Sum up the rules.", "--by", way, *called)
    assert said.code == 0, said.err
    assert said.out == "25 days; 120 euros.\n"
    assert f"{way}: 2 documents" in said.err
    assert "tokens read" in said.err
    calls = endpoint.seen.calls
    say("ask", index, "--whole", "Sum up the rules.", "--by", way, *called)
    assert endpoint.seen.calls == calls


def test_changed_files_are_told_in_one_line(say: Say, index: str, called: list[str]) -> None:
    Path("docs/leave.md").write_text(LEAVE.replace("25", "30"))
    said = say("ask", index, QUESTION, *called)
    assert said.err.splitlines()[0] == (
        "Files have changed (1 changed): accordeur index update rules"
    )
    assert "[1] docs/leave.md\n" in said.out  # the line is not told: the file says otherwise


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (["nope", "why?"], 1, "There is no index `nope`", "accordeur index build"),
        (["rules"], 2, "There is no question", "accordeur ask rules"),
        (["rules", "  "], 2, "There is no question", "accordeur ask rules"),
        (["rules", "why?", "-k", "0"], 2, "looks nothing up", "-k 5"),
        (["rules", "why?", "--mode", "magic"], 2, "no ranking `magic`", "lexical"),
        (["rules", "why?", "--mode", "dense"], 2, "no vectors", "lexical"),
        (["rules", "why?", "--where", "x"], 2, "names no value", "--where"),
        (["rules", "why?", "-o", "a.jsonl"], 2, "goes with `--file`", "--json"),
        (["rules", "why?", "--file", "q.jsonl"], 2, "either a question or a file", "--file"),
        (["rules", "--whole", "why?", "--by", "magic"], 2, "no way `magic`", "tree"),
        (["rules", "why?", "--path", "none*", "--whole"], 2, "No document fits", "inspect"),
    ],
)
def test_mistakes_are_messages_with_hints(
    arguments: list[str],
    code: int,
    message: str,
    hint: str,
    say: Say,
    index: str,
    called: list[str],
) -> None:
    said = say("ask", *arguments, *called)
    assert said.code == code, said.err
    told, _, hinted = said.err.partition("hint:")
    assert message in told
    assert hint in hinted
    assert "Traceback" not in said.err


def test_an_empty_index_and_a_missing_model_are_messages(say: Say, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    say("index", "build", "empty", tmp_path / "none", "--no-embeddings")
    said = say("ask", "empty", "why?")
    assert said.code != 0
    assert "hint:" in said.err
    assert "Traceback" not in said.err


def test_a_dead_endpoint_is_a_message(say: Say, index: str, called: list[str]) -> None:
    said = say("ask", index, QUESTION, "-m", "openai/x", "--base-url", "http://127.0.0.1:9/v1")
    assert said.code == 1
    assert "error:" in said.err
    assert "Traceback" not in said.err


def test_a_question_may_come_from_stdin_and_control_characters_are_made_visible(
    start: Start, index: str, called: list[str]
) -> None:
    done = start("ask", index, "-", *called, stdin=f"{QUESTION}\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == ANSWER
    nothing = start("ask", index, "-", *called, stdin="")
    assert nothing.returncode == 2


def test_chat_answers_from_documents_and_shows_its_sources(
    start: Start, index: str, called: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACCORDEUR_STATE", str(tmp_path / "state"))
    typed = f"/sources\n{QUESTION}\n/sources\n/sources 9\nWhat may a hotel cost?\n/prompt\n"
    model, base_url = called[1], called[3]
    done = start("chat", model, "--base-url", base_url, "--index", index, stdin=typed)
    lines = done.stdout.splitlines()
    assert lines[0] == ANSWER
    assert "“Everyone has 25 days of annual leave.”" in done.stdout
    assert "[1] docs/leave.md:3 · Leave" in done.stderr
    assert "Nothing was answered yet" in done.stderr
    assert "There is no citation `9`" in done.stderr
    assert "A hotel may cost 120 euros." in lines
    assert "[1] travel.md > Travel" in done.stdout  # /prompt shows the passages

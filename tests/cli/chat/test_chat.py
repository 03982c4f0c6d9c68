"""`accordeur chat`, lines from a pipe."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accordeur.core.model import Capability
from accordeur.core.rendering import Request
from accordeur.core.task import TaskBrief
from accordeur.parts.base import base_candidate
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.demonstrations import Demonstration, FixedDemonstrations
from accordeur.parts.pattern import Critique, Reason
from accordeur.store.conversation import exchanges
from accordeur.store.conversations import ConversationStore
from accordeur.tasks.load import load_task
from accordeur.testing import ScriptedModel
from accordeur.testing.endpoint import ScriptedEndpoint

Say = Callable[..., Any]
Chat = Callable[..., Any]


def test_every_line_gets_its_answer_and_stdout_holds_nothing_else(chat: Chat) -> None:
    said = chat(["Hello", "", "  ", "And then?"])
    assert (said.code, said.err) == (0, "")
    assert said.out == "1: Hello\n3: And then?\n"


def test_several_lines_make_one_message(chat: Chat, server: ScriptedEndpoint) -> None:
    chat(["one \\", "two", "```", "a", "", "b", "```", "```py", "x = 1", "```"])
    last = [body["messages"][-1]["content"] for body in server.seen.bodies]
    assert last == ["one \ntwo", "a\n\nb", "```py\nx = 1\n```"]


def test_a_message_may_start_with_a_slash(chat: Chat, server: ScriptedEndpoint) -> None:
    assert chat(["//undo it"]).out == "1: /undo it\n"


def test_an_unknown_command_offers_the_nearest_and_is_a_failure(chat: Chat) -> None:
    said = chat(["/promt", "/", "Hello"])
    assert (said.code, said.out) == (1, "1: Hello\n")
    assert "There is no command `/promt`." in said.err
    assert "did you mean /prompt?" in said.err


def test_undone_messages_are_not_sent_and_stay_in_the_store(chat: Chat, kept: Say) -> None:
    said = chat(["one", "two", "/undo", "three", "/undo", "/undo", "/undo"])
    assert said.out == "1: one\n3: two\n3: three\n"
    assert said.code == 1
    assert "taken back: one" in said.err
    assert "Nothing was asked yet." in said.err
    assert kept()["turns"] == []
    assert len(kept("last", "--superseded")["turns"]) == 6


def test_asking_again_and_editing_replace_the_last_answer(
    chat: Chat, server: ScriptedEndpoint
) -> None:
    said = chat(["one", "two", "/retry", "/edit zwei", "/edit", "three"], "--temperature", "1")
    assert said.out == "1: one\n3: two\n3: two\n3: zwei\n5: three\n"
    assert "nobody is here to edit it" in said.err
    seeds = [body["seed"] for body in server.seen.bodies]
    assert seeds[2] == seeds[1] + 1


def test_a_system_message_is_sent_and_kept_and_taken_away(
    chat: Chat, server: ScriptedEndpoint
) -> None:
    chat(["one", "/system Be brief.", "two", "/system", "/system -", "three"], "--system", "Hm.")
    systems = [
        [one["content"] for one in body["messages"] if one["role"] == "system"]
        for body in server.seen.bodies
    ]
    assert systems == [["Hm."], ["Be brief."], []]


def test_an_instruction_stands_once_before_the_first_message(
    chat: Chat, server: ScriptedEndpoint
) -> None:
    chat(["one", "two"], "--instruction", "Answer in rhyme.")
    contents = [one["content"] for one in server.seen.bodies[-1]["messages"]]
    assert contents[0] == "Answer in rhyme.\n\none"
    assert contents[-1] == "two"


def test_the_prompt_is_shown_with_its_tokens_and_what_is_left_out(chat: Chat) -> None:
    said = chat(["/prompt", "one", "two", "/memory window 2", "/prompt", "/prompt three"])
    assert "Nothing was asked yet." in said.err
    assert "user: two" in said.out
    assert "tokens; " in said.out
    assert "2 earlier messages are not sent (window of 2 tokens)" in said.out
    assert "4 earlier messages are not sent (window of 2 tokens)" in said.out


def test_a_window_says_what_it_leaves_out(chat: Chat) -> None:
    said = chat(["one", "two", "three"], "--memory", "window 5")
    assert said.out == "1: one\n3: two\n3: three\n"
    assert said.err.splitlines()[-1] == "2 earlier messages are not sent (window of 5 tokens)"


def test_ratings_and_titles_are_kept(chat: Chat, kept: Say) -> None:
    said = chat(["/rate good", "Hi", "/rate great", "/rate bad far too short", "/title A talk"])
    assert said.err.count("error:") == 2
    assert kept()["title"] == "A talk"
    answer = kept()["turns"][-1]
    assert (answer["rating"], answer["remark"]) == ("bad", "far too short")


def test_saved_examples_are_rows_of_a_task(chat: Chat, tmp_path: Path) -> None:
    lines = ["one", "/save rows.jsonl", "two", "/save rows.jsonl the right answer"]
    said = chat([*lines, "/save rows.csv", "/save"])
    assert said.err.count("error:") == 2
    Path("rows.jsonl").write_text(Path("rows.jsonl").read_text().rstrip("\n"))
    chat(["three", "/save rows.jsonl"])
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    assert rows[0] == {"input": "one", "expected": "1: one"}
    assert [turn["content"] for turn in rows[1]["input"]] == ["one", "1: one", "two"]
    assert (rows[1]["expected"], rows[1]["rejected"]) == ("the right answer", ["3: two"])
    task = load_task("rows.jsonl")
    assert len(task.train) + len(task.dev) == 3


def test_a_conversation_goes_on(chat: Chat, say: Say) -> None:
    chat(["one", "/memory window 100", "/system S"])
    said = chat(["two"], "--resume", "last")
    assert said.out == "4: two\n"
    listed = json.loads(say("conversations", "list", "--json").out)
    assert [one["messages"] for one in listed] == [4]
    assert listed[0]["memory"] == {"kind": "window", "tokens": 100}
    again = chat(["three"], "--resume", listed[0]["id"][:4])
    assert again.out == "6: three\n"


def test_a_conversation_is_not_sent_to_an_address_nobody_named(
    chat: Chat, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    chat(["my secret"])
    with ScriptedEndpoint() as other:
        monkeypatch.setenv("OPENAI_BASE_URL", other.base_url)
        said = say("chat", "--resume", "last")
        assert other.seen.calls == 0
    assert said.code == 1
    assert "--base-url URL" in said.err


def test_an_endpoint_that_fails_leaves_the_conversation_usable(
    chat: Chat, server: ScriptedEndpoint, kept: Say
) -> None:
    server.faults = {"401": 1.0}
    said = chat(["Hello", "/prompt"])
    assert said.code == 1
    assert "hint: check the key in OPENAI_API_KEY" in said.err
    assert "user: Hello" in said.out
    server.faults = {"cut": 1.0}
    said = chat(["/retry"], "--resume", "last")
    assert said.code == 1
    turns = kept()["turns"]
    assert (turns[0]["text"], turns[1]["cut"]) == ("Hello", True)
    server.faults = {}
    assert chat(["/retry", "go on"], "--resume", "last").out == "1: Hello\n3: go on\n"


def test_nothing_listens(say: Say, monkeypatch: pytest.MonkeyPatch, kept: Say) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Hello\n"))
    said = say("chat", "openai/x", "--base-url", "http://127.0.0.1:9/v1")
    assert (said.code, said.out) == (1, "")
    assert "is the server running?" in said.err
    assert [turn["text"] for turn in kept()["turns"]] == ["Hello"]


def test_what_a_model_says_cannot_steer_the_terminal(chat: Chat, server: ScriptedEndpoint) -> None:
    server.answer = lambda messages: "\x1b ]0;own\x07 ed \x9b 31m \u202e x"
    said = chat(["Hello", "/prompt more"])
    assert "\\x1b" in said.out
    assert not set("\x1b\x07\x9b\u202e") & set(said.out)


def test_a_summary_is_made_once_and_shown(chat: Chat, server: ScriptedEndpoint, say: Say) -> None:
    def answer(messages: Any) -> str:
        asked = messages[-1]["content"]
        return "They counted." if asked.startswith("Sum up") else f"{len(messages)} " + "w " * 300

    server.answer = answer
    # The endpoint's context is 4,096 tokens, of which 2,048 are for the answer.
    arguments = ("--memory", "summary", "--max-tokens", "2048")
    said = chat([f"message {n} " + "x " * 300 for n in range(7)], *arguments)
    assert said.code == 0, said.err
    sums = [one for one in server.seen.bodies if one["messages"][-1]["content"].startswith("Sum")]
    assert len(sums) >= 1
    assert "earlier messages are sent as a summary (/memory shows it)" in said.err
    assert server.seen.bodies[-1]["messages"][0]["content"].startswith(
        "Summary of the conversation before this:\n> They counted.\n\nmessage"
    )
    calls = server.seen.calls
    again = chat(["/memory", "/prompt"], "--resume", "last", "--max-tokens", "2048")
    assert "summary: They counted." in again.out
    assert server.seen.calls == calls


def text_bundle(folder: Path) -> Path:
    brief = TaskBrief("calls", "", "Say it in one sentence.", "text", (), "rouge-l")
    model = ScriptedModel(name="openai/scripted")
    shown = FixedDemonstrations((Demonstration("d", "d", Request("2+2?"), "4"),))
    candidate = base_candidate(brief, "openai/scripted", model, ()).with_part(shown)
    return save_bundle(Bundle(candidate), folder)


def test_who_answers_can_change_in_the_middle(
    chat: Chat, classifier: Path, kept: Say, server: ScriptedEndpoint, tmp_path: Path
) -> None:
    bundle = text_bundle(tmp_path / "bundle")
    lines = ["Hello", f"/use {classifier}", "My card is gone", "/prompt", "/use nothing", "/use"]
    lines += ["/save rows.jsonl", "/save rows.jsonl no such label", f"/use {bundle}", "Once more"]
    said = chat(lines)
    assert said.out == "1: Hello\ncard\n7: Once more\n"
    assert "no language model" in said.err
    assert "There is no bundle, run or model `nothing`." in said.err
    assert "is no label of this task" in said.err
    assert json.loads(Path("rows.jsonl").read_text()) == {
        "input": "My card is gone",
        "expected": "card",
    }
    # The bundle's instruction and demonstration, then the conversation, then the question.
    roles = [(one["role"], one["content"][:12]) for one in server.seen.bodies[-1]["messages"]]
    assert roles[0] == ("user", "Say it in on")
    assert roles[2:4] == [("user", "Hello"), ("assistant", "1: Hello")]
    turns = [turn for turn in kept()["turns"] if turn["role"] == "assistant"]
    assert turns[0]["candidate"] == "openai/scripted"
    assert turns[1]["candidate"] == str(classifier)
    assert turns[1]["details"]["probabilities"] == {"billing": 0.1, "card": 0.6, "login": 0.3}


def test_a_bundle_that_scores_labels_answers_every_message_on_its_own(
    tiny: Path, labelled: TaskBrief, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel(name=str(tiny))
    folder = tmp_path / "bundle"
    save_bundle(Bundle(base_candidate(labelled, str(tiny), model, ())), folder)
    typed = "Stolen!\n/memory\nStolen!\n/memory window\n/prompt\n/save rows.jsonl lost CARD\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    said = say("chat", folder)
    one = say("answer", folder, "Stolen!").out.splitlines()[0]
    assert (said.code, said.out.splitlines()[:2]) == (0, [one, one])
    assert "memory: no earlier messages" in said.err
    assert said.out.count("<|im_start|>user") == 2  # with a window the earlier message is sent
    assert json.loads(Path("rows.jsonl").read_text()) == {"input": "Stolen!", "expected": "card"}
    refused = say("chat", folder, "--temperature", "1")
    assert refused.code == 2
    assert "chooses among labels" in refused.err
    assert "has its own instruction" in say("chat", folder, "--instruction", "x").err


def test_labels_that_an_endpoint_writes_are_read(
    chat: Chat, server: ScriptedEndpoint, labelled: TaskBrief, tmp_path: Path, kept: Say
) -> None:
    server.answer = lambda messages: "I think it is: lost card."
    model = ScriptedModel(name="openai/scripted", capabilities={Capability.GENERATE})
    folder = tmp_path / "bundle"
    save_bundle(Bundle(base_candidate(labelled, "openai/scripted", model, ())), folder)
    said = chat([f"/use {folder}", "Stolen!", "/memory window", "Again!"])
    assert said.out == "card\ncard\n"
    # As the demonstrations of the bundle show it.
    assert [one["content"] for one in server.seen.bodies[-1]["messages"]][1:] == [
        "Lost card",
        "Again!",
    ]
    server.answer = lambda messages: "Hm."
    chat(["/retry"], "--resume", "last")
    assert kept()["turns"][-1]["details"]["status"] == "parse failure"


def test_several_calls_come_whole_and_only_the_answer_is_saved(
    chat: Chat, server: ScriptedEndpoint, tmp_path: Path, kept: Say
) -> None:
    brief = TaskBrief("sums", "", "Work it out.", "text", (), "numeric")
    model = ScriptedModel(name="openai/scripted")
    base = base_candidate(brief, "openai/scripted", model, ())
    server.answer = lambda messages: f"{len(messages)} and so. Answer: 42"
    several, reasons = tmp_path / "several", tmp_path / "reasons"
    save_bundle(Bundle(base.with_part(Critique(100))), several)
    save_bundle(Bundle(base.with_part(Reason(100))), reasons)
    lines = [f"/use {several}", "6 * 7?", "/save a.jsonl", f"/use {reasons}", "6 * 7?"]
    said = chat([*lines, "/save b.jsonl"])
    assert said.out == "42\n3 and so. Answer: 42\n"
    saved = [json.loads(Path(name).read_text())["expected"] for name in ("a.jsonl", "b.jsonl")]
    assert saved == ["42", "42"]
    server.faults = {"filter": 1.0}
    failed = chat([f"/use {several}", "7 * 7?"], "--resume", "last")
    assert (failed.code, failed.out) == (1, "")
    assert "content filter" in failed.err


def test_a_bundle_that_is_gone_needs_another_name(
    chat: Chat, classifier: Path, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat([f"/use {classifier}", "Hello"])
    classifier.rename(tmp_path / "moved")
    said = say("chat", "--resume", "last")
    assert said.code == 2
    assert "say who answers: accordeur chat BUNDLE_OR_MODEL --resume" in said.err
    monkeypatch.setattr(sys, "stdin", io.StringIO("Hello\n"))
    assert say("chat", tmp_path / "moved", "--resume", "last").out == "card\n"


def test_bytes_that_are_no_text_end_nothing(classifier: Path) -> None:
    command = [sys.executable, "-m", "accordeur.cli", "chat", str(classifier)]
    typed = b"\xff\xfe\x00 caf\xe9\nnext"
    done = subprocess.run(command, input=typed, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"card\ncard\n", b"")
    with ConversationStore() as store:
        said = exchanges(store.turns(store.find("last").id))
    assert [one.question.text for one in said] == ["\ufffd\ufffd\x00 caf\ufffd", "next"]


def test_the_name_of_a_run_means_its_winner(
    finished: Any, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Somebody stole my card\n"))
    said = say("chat", finished.name)
    one = say("answer", finished.name, "Somebody stole my card").out.splitlines()[0]
    assert (said.code, said.out, said.err) == (0, f"{one}\n", "")


def test_a_local_model_talks(
    tiny: Path, say: Say, monkeypatch: pytest.MonkeyPatch, kept: Say
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"Hello\nYes?\n/prompt\n{'word ' * 3_000}"))
    said = say("chat", tiny, "--max-tokens", "5", "--seed", "3", "--temperature", "0.9")
    assert said.code == 0, said.err
    assert said.out.count("<|im_start|>user") == 2
    assert "stopped at 5 tokens" in said.err
    assert "4 earlier messages are not sent (window of 1,019 tokens)" in said.err
    assert "1,019 fit: demonstrations are dropped first, then its start is cut" in said.err
    turns = kept()["turns"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 3
    assert turns[0]["tokens"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "whom to talk with"),
        (("local/smolm2",), "no bundle, run or model"),
        (("openai/x", "--temperature", "-1"), "out of range"),
        (("openai/x", "--temperature", "nan"), "out of range"),
        (("openai/x", "--top-p", "0"), "out of range"),
        (("openai/x", "--max-tokens", "0"), "leaves no answer"),
        (("openai/x", "--base-url", "http://127.0.0.1:9/v1", "--memory", "gold"), "no memory"),
        (("--resume", "abc"), "no conversations yet"),
    ],
)
def test_what_cannot_be_meant(arguments: tuple[str, ...], message: str, say: Say) -> None:
    said = say("chat", *arguments)
    assert said.code in (1, 2)
    assert message in said.err
    assert "hint: " in said.err


SLOW = 400
"""Words of an answer that does not end by itself."""


def test_a_process_killed_in_the_middle_of_an_answer_loses_nothing_said_before(
    own_data: Path, chat: Chat
) -> None:
    words = " ".join(f"w{n}" for n in range(SLOW))
    with ScriptedEndpoint(lambda messages: words, pause=0.05) as slow:
        command = [sys.executable, "-m", "accordeur.cli", "chat", "openai/scripted"]
        process = subprocess.Popen(
            [*command, "--base-url", slow.base_url, "--max-tokens", "4000"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("What happened?\n")
        process.stdin.flush()
        assert process.stdout.read(4) == "w0 w"
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(timeout=30) == -signal.SIGKILL
    with ConversationStore() as store:
        found = exchanges(store.turns(store.find("last").id))
    assert [(one.question.text, one.answer) for one in found] == [("What happened?", None)]
    said = chat(["/retry", "And now?"], "--resume", "last")
    assert said.out == "1: What happened?\n3: And now?\n"


def test_ctrl_c_keeps_what_there_is_of_an_answer(own_data: Path) -> None:
    words = " ".join(f"w{n}" for n in range(SLOW))
    with ScriptedEndpoint(lambda messages: words, pause=0.05) as slow:
        command = [sys.executable, "-m", "accordeur.cli", "chat", "openai/scripted"]
        process = subprocess.Popen(
            [*command, "--base-url", slow.base_url, "--max-tokens", "4000"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("What happened?\n")
        process.stdin.flush()
        assert process.stdout.read(4) == "w0 w"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    with ConversationStore() as store:
        answer = exchanges(store.turns(store.find("last").id))[0].answer
    assert answer is not None
    assert answer.cut
    assert answer.text.startswith("w0 w1")
    assert len(answer.text.split()) < SLOW


def test_a_conversation_of_ten_thousand_turns_is_quick(chat: Chat) -> None:
    with ConversationStore() as store:
        key = store.begin("openai/scripted", "", memory={"kind": "window"}).id
        with store._errors():
            store._database.execute("BEGIN")
            store._database.executemany(
                "INSERT INTO turns (conversation, role, text, created, answers, candidate, tokens,"
                " cut, rating, remark, superseded, details)"
                " VALUES (?, ?, ?, '', ?, '', 0, 0, '', '', 0, '{}')",
                [
                    (key, role, f"{role} {n} says a few words", None if role == "user" else at)
                    for n in range(5_000)
                    for role, at in (("user", 0), ("assistant", 2 * n + 1))
                ],
            )
            store._database.execute("COMMIT")
    began = time.perf_counter()
    said = chat(["one", "two", "three"], "openai/scripted", "--resume", "last")
    seconds = time.perf_counter() - began
    assert said.code == 0, said.err
    assert "earlier messages are not sent" in said.err
    assert len(said.out.splitlines()) == 3
    assert seconds < 5  # about a third of a second each where nothing else runs

"""`accordeur serve` and `accordeur keys`, in processes of their own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from accordeur.core.candidate import Candidate
from accordeur.core.task import Label, TaskBrief
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.classifier.majority import Majority

Say = Callable[..., Any]
CHAT = "/v1/chat/completions"
LABELS = (Label("billing", "Billing"), Label("card", "Lost card"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    brief = TaskBrief("teams", "", "Which team?", "labels", LABELS, "accuracy")
    made = Candidate(brief, None).with_part(Majority(("billing", "card"), (1, 2)))
    return save_bundle(Bundle(made), tmp_path / "teams")


@contextmanager
def serving(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server's process and its URL, once it takes requests."""
    process = subprocess.Popen(
        [sys.executable, "-m", "accordeur.cli", "serve", *map(str, arguments), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r"serving at (http://\S+)/v1\n", line)
        assert found, (line, process.stderr and process.stderr.read())
        yield process, found[1]
    finally:
        process.kill()
        process.wait(30)


def asked(model: str, **more: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}


def test_a_bundle_is_served_under_its_name_and_the_printed_command_works(bundle: Path) -> None:
    with serving(bundle, f"other={bundle}") as (process, url):
        for name in ("teams", "other"):
            answer = httpx.post(f"{url}{CHAT}", json=asked(name)).json()
            assert answer["choices"][0]["message"]["content"] == "card"
        assert process.stdout is not None
        words = "".join(process.stdout.readline() for _ in range(5))
        command = words[words.index("curl") :].replace('"..."', '"hello"')
        told = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
        assert json.loads(told.stdout)["model"] == "teams"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_an_answer_that_was_begun_is_finished_when_the_server_is_told_to_stop(tiny: Path) -> None:
    with serving(f"tiny={tiny}") as (process, url):
        body = asked("tiny", stream=True, max_tokens=900, temperature=1.0, seed=1)
        with httpx.stream("POST", f"{url}{CHAT}", json=body, timeout=60) as answer:
            lines = answer.iter_lines()
            next(lines)
            process.send_signal(signal.SIGINT)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        last = json.loads(rest[-2].removeprefix("data: "))
        assert last["choices"][0]["finish_reason"] in ("length", "stop")
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_keys_are_shown_once_kept_as_hashes_and_asked_for(
    bundle: Path, tmp_path: Path, say: Say
) -> None:
    key = say("keys", "add", "ada").out.strip()
    place = tmp_path / "config" / "keys.json"
    assert key.removeprefix("ac-") not in place.read_text(encoding="utf-8")
    assert "ada" in say("keys", "list").out
    assert key not in say("keys", "list", "--json").out
    again = say("keys", "add", "ada")
    assert (again.code, "accordeur keys rm ada" in again.err) == (2, True)
    with serving(bundle) as (_, url):
        assert httpx.post(f"{url}{CHAT}", json=asked("teams")).status_code == 401
        headers = {"Authorization": f"Bearer {key}"}
        assert httpx.post(f"{url}{CHAT}", json=asked("teams"), headers=headers).status_code == 200
    assert say("keys", "rm", "ada").code == 0
    assert say("keys", "rm", "ada").code == 2
    assert json.loads(say("keys", "list", "--json").out) == {}


def test_keys_that_are_added_and_removed_count_at_once(bundle: Path, say: Say) -> None:
    with serving(bundle) as (_, url):

        def status(key: str = "") -> int:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return httpx.post(f"{url}{CHAT}", json=asked("teams"), headers=headers).status_code

        assert status() == 200, "no keys are needed yet"
        ada, ben = (say("keys", "add", name).out.strip() for name in ("ada", "ben"))
        assert (status(), status(ada), status(ben)) == (401, 200, 200)
        assert say("keys", "rm", "ada").code == 0
        assert (status(), status(ada), status(ben)) == (401, 401, 200)
        assert say("keys", "rm", "ben").code == 0
        assert (status(), status(ben)) == (401, 401), "it does not open again"


def test_what_cannot_be_served_is_said_before_anything_is_loaded(
    bundle: Path, tmp_path: Path, say: Say
) -> None:
    def hint(*arguments: object) -> str:
        said = say("serve", *arguments)
        assert said.code in (1, 2)
        assert "Traceback" not in said.err
        return str(said.err)

    assert "accordeur keys add NAME, or --no-keys" in hint(bundle, "--host", "0.0.0.0")
    assert "one=PATH other=PATH" in hint(bundle, bundle)
    assert "There is no bundle and no run" in hint(tmp_path / "nothing")
    assert "--port 0" in hint(bundle, "--port", "70000")
    with serving(bundle) as (_, url):
        assert "--port 0 takes any" in hint(bundle, "--port", url.rpartition(":")[2])
    assert "above 0" in hint(bundle, "-j", "0")


def test_a_second_signal_ends_at_once(tiny: Path) -> None:
    with serving(f"tiny={tiny}") as (process, url):
        body = asked("tiny", stream=True, n=16, max_tokens=900, temperature=1.0, seed=1)
        with httpx.stream("POST", f"{url}{CHAT}", json=body, timeout=60) as answer:
            next(answer.iter_lines())
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            assert "finishing what was begun" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(5) == 130
        assert "Traceback" not in process.stderr.read()


def test_keys_that_are_added_at_once_are_all_kept(say: Say) -> None:
    adding = [
        subprocess.Popen([sys.executable, "-m", "accordeur.cli", "keys", "add", f"k{at}"])
        for at in range(6)
    ]
    assert [one.wait(60) for one in adding] == [0] * 6
    assert len(json.loads(say("keys", "list", "--json").out)) == 6

"""Endpoints from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accordeur.testing.endpoint import ScriptedEndpoint
from accordeur.testing.toy import write_label_task

Say = Callable[..., Any]


def test_run_answer_and_list(tmp_path: Path, say: Say) -> None:
    task = write_label_task(tmp_path / "task")
    config = task / "task.yaml"
    only = "limits: {language_model: true}\n"
    config.write_text(config.read_text(encoding="utf-8") + only, encoding="utf-8")
    with ScriptedEndpoint(lambda messages: "card") as server:
        here = ("--base-url", server.base_url)
        ran = say("run", task, "-m", "openai/scripted", "--levers", "as-is", *here)
        assert ran.code == 0, ran.err
        assert f'"your text" --base-url {server.base_url}' in ran.out
        winner = next((tmp_path / "runs").glob("*/winner"))
        said = say("answer", winner, "Where is my card?", *here)
        assert (said.code, said.out.split()[0]) == (0, "card")
        server.faults = {"401": 1.0}
        said = say("answer", winner, "Where is my card?", *here)
        assert said.code == 1
        assert "key refused" in said.err
        assert "hint: check the key in OPENAI_API_KEY" in said.err
        server.faults = {"filter": 1.0}
        said = say("answer", winner, "Where is my card?", *here)
        assert said.code == 1
        assert "content filter" in said.err
        assert say("models", "list", "openai", *here).out == "openai/scripted\n"
    dead = say("models", "list", "ollama", *here)
    assert dead.code == 1
    assert "is the server running?" in dead.err


def test_what_a_model_can_do_is_asked_and_shown(say: Say) -> None:
    with ScriptedEndpoint(
        score=lambda messages, answer: -1.0, formats=["response_format"], refuses=["seed"]
    ) as server:
        here = ("--base-url", server.base_url)
        shown = say("models", "probe", "openai/scripted", *here)
        assert shown.code == 0, shown.err
        for line in ("4,096 tokens", "logprobs, schema, parse", "json_schema", "seed"):
            assert line in shown.out
        told = json.loads(say("models", "probe", "openai:scripted", *here, "--json").out)
        assert told["abilities"]["echo"] == 0
        assert told["without"] == ["seed"]
        server.faults = {"401": 1.0}
        assert "key refused" in say("models", "probe", "openai/scripted", *here).err
    assert "on this machine" in say("models", "probe", "local/smollm2").err
    assert "connection" in say("models", "probe", "openai/scripted", *here).err


def test_prices_are_written_down_used_and_forgotten(tmp_path: Path, say: Say) -> None:
    assert "unknown price" in say("models", "prices").out
    name = "openai/scripted"
    assert say("models", "prices", name, "--input", "1000", "--output", "5000").code == 0
    listed = say("models", "prices").out
    assert name in listed
    assert "5000" in listed
    task = write_label_task(tmp_path / "task")
    with ScriptedEndpoint(lambda messages: "card") as server:
        here = ("--base-url", server.base_url, "--levers", "as-is", "-o", "record.json")
        assert say("run", task, "-m", name, *here).code == 0
        record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
        cost = next(one for one in record["entries"] if one["name"] == "as-is")["cost"]
        assert 0.005 + 0.01 < cost["use"] < 0.005 + 0.1
        assert say("models", "prices", name, "--rm").code == 0
        ran = say("run", task, "-m", name, *here)
        assert "is unknown" in ran.err
    assert say("models", "prices", name, "--rm").code == 2
    assert "two sides" in say("models", "prices", name, "--input", "1").err
    assert "not negative" in say("models", "prices", name, "--input", "-1", "--output", "1").err
    assert "of an hour" in say("models", "prices", "local/smollm2", "--rm").err
    assert "belongs to a model" in say("models", "prices", "--rm").err


def test_what_cannot_be_meant(say: Say, tmp_path: Path) -> None:
    assert "goes with a vendor" in say("models", "list", "--base-url", "http://x/v1").err
    unknown = say("models", "list", "openia")
    assert unknown.code == 2
    assert "openai" in unknown.err
    task = write_label_task(tmp_path / "task")
    assert say("run", task, "-m", "openai/x", "-j", "0").code == 2
    guessed = say("run", task, "-m", "openai/x", "--labels-by", "guess")
    assert guessed.code == 2
    assert "auto" in guessed.err
    beside = say("run", task, "-m", "none", "--labels-by", "top")
    assert beside.code == 2
    assert "behind an endpoint" in beside.err
    later = say("run", "--resume", "x", "--max-calls", "3")
    assert "no meaning" not in later.err

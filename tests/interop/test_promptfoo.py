"""The same configs, asked of the same endpoint, give the same verdicts as promptfoo itself.

promptfoo is an npm package: `make interop` installs it; ACCORDEUR_PROMPTFOO names the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from accordeur.bench.matrix.evaluate import Options, evaluate
from accordeur.testing.endpoint import ScriptedEndpoint

pytestmark = pytest.mark.interop

CONFIGS = Path(__file__).parent / "promptfoo"
PLACE = os.environ.get("ACCORDEUR_PROMPTFOO", "")
PROGRAM = Path(PLACE) / "node_modules" / ".bin" / "promptfoo"

REPLIES = {
    "lost my card": "Your card is blocked; a new account card comes within 24 hours.",
    "refund": "Your refund is on its way.",
    "Bern": "Yes, we do.",
    "Oslo": "Yes, we do.\n",
    "Rome": "No, sorry.",
    "blue": "Repeat: blue!",
    "green lamps": '{"item": "lamp", "count": 2, "colour": "green"}',
    "chair": '{"item": "chair", "count": -1}',
    "fenced": 'Here: ```json\n{"item": "table"}\n```',
    "nonsense": "lamp lamp lamp",
    "mugs": '{"item": "mug", "count": 3}',
    "France": "Paris, not London.",
    "FRANCE": "Paris",
    "Peru": "Lima",
    "PERU": "Lima.",
    "wo plus two": "four",
    "PLUS TWO": "4",
    "sky": "the sky is blue",
    "SKY": "The sky is blue",
    "Polite": "Thank you, gladly.",
    "Rude": "Go away.",
    "POLITE": "Thank you, gladly.",
    "RUDE": "Go away.",
}


def answer(messages: Sequence[Mapping[str, str]]) -> str:
    """What the model says; a judge, whose prompt holds a rubric, likes thanks."""
    asked = messages[-1]["content"]
    if "answers politely" in asked:
        kind = "gladly" in asked
        return json.dumps({"reason": "by its words", "pass": kind, "score": 1.0 if kind else 0.1})
    return next((reply for key, reply in REPLIES.items() if key in asked), "Hm.")


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedEndpoint]:
    with ScriptedEndpoint(answer) as running:
        yield running


@pytest.fixture
def configs(tmp_path: Path, server: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configs with the server's port in them."""
    if not PROGRAM.exists():
        pytest.skip("promptfoo is not installed: make interop")
    monkeypatch.setenv("ACCORDEUR_EVALS", str(tmp_path / "evals"))
    monkeypatch.setenv("ACCORDEUR_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "configs"
    shutil.copytree(CONFIGS, folder)
    for path in folder.glob("*.yaml"):
        path.write_text(path.read_text().replace("PORT", str(server.port)))
    return folder


Verdicts = dict[tuple[str, str, str], bool]


def theirs(config: Path, out: Path) -> Verdicts:
    environment = {
        **os.environ,
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
        "PROMPTFOO_CONFIG_DIR": str(out.parent / "promptfoo-home"),
        "OPENAI_API_KEY": "none",
    }
    command = [str(PROGRAM), "eval", "-c", str(config), "-o", str(out), "--no-cache", "--no-table"]
    done = subprocess.run(
        [*command, "--no-progress-bar"], env=environment, cwd=config.parent, capture_output=True
    )
    assert done.returncode in (0, 100), (done.stdout + done.stderr).decode()[-2000:]
    found: Verdicts = {}
    for one in json.loads(out.read_text())["results"]["results"]:
        model = one["provider"].get("label") or one["provider"]["id"]
        found[_key(one["vars"], one["prompt"]["label"], model)] = bool(one["success"])
    return found


def ours(config: Path, out: Path) -> Verdicts:
    evaluate(config, Options(outputs=(out,), allow_code=True, use_cache=False))
    return {
        _key(one["vars"], one["prompt"], one["model"]): one["status"] == "pass"
        for one in json.loads(out.read_text())["results"]
    }


def _key(fields: Mapping[str, Any], prompt: str, model: str) -> tuple[str, str, str]:
    words = prompt.rpartition("prompts.txt: ")[2]  # theirs names the file by its whole path
    model = model.replace("openai:chat:", "openai:")
    return json.dumps(fields, sort_keys=True), words, model


@pytest.mark.parametrize("name", ["replies", "records", "table"])
def test_verdicts_are_those_of_promptfoo(name: str, configs: Path, tmp_path: Path) -> None:
    config = configs / f"{name}.yaml"
    expected = theirs(config, tmp_path / "theirs.json")
    found = ours(config, tmp_path / "ours.json")
    assert len(found) == len(expected) > 4
    assert found == expected
    assert set(expected.values()) == {True, False}, "all alike would show little"

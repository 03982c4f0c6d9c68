"""Strangers ask our server: lm-evaluation-harness, promptfoo and schemathesis.

`make interop` installs them and names them: ACCORDEUR_STRANGERS is a virtual environment with
lm-eval and schemathesis, ACCORDEUR_PROMPTFOO a folder with promptfoo.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from accordeur.models.local.model import LocalModel
from accordeur.models.source import EMBEDDER, Models
from accordeur.serve.app import make_app
from accordeur.serve.engine import Engine
from accordeur.serve.model import ServedModels
from accordeur.serve.served import Catalog, serve_model
from accordeur.testing.tiny import tiny_model

from ..serve.conftest import running

pytestmark = pytest.mark.interop

STRANGERS = Path(os.environ.get("ACCORDEUR_STRANGERS", "-")) / "bin"
PROMPTFOO = Path(os.environ.get("ACCORDEUR_PROMPTFOO", "-")) / "node_modules/.bin/promptfoo"
HERE = Path(__file__).parent

PAIRS = [
    ["Where is my card?", " Lost card"],
    ["Where is my card?", " Billing"],
    ["I was charged twice", " Billing, I think"],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    return Models(dtype="float32").local(str(folder))


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    engine = Engine()
    source = ServedModels(Models(dtype="float32"), engine)
    catalog = Catalog(
        [serve_model("tiny", str(folder), source)], {EMBEDDER: source.embedder(EMBEDDER)}
    )
    with running(make_app(catalog, engine)) as at:
        yield at


def needed(program: Path) -> str:
    if not program.exists():
        pytest.skip(f"{program.name} is not here; make interop installs it")
    return str(program)


def test_lm_evaluation_harness_gets_the_scores_of_the_engine(
    url: str, folder: Path, model: LocalModel
) -> None:
    asked = {"score": PAIRS, "write": ["Where is my card?", "Once upon a time"]}
    command = [
        needed(STRANGERS / "python"),
        str(HERE / "lm_eval_scores.py"),
        url,
        "tiny",
        str(folder),
    ]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    for (context, continuation), (score, _) in zip(PAIRS, found["scores"], strict=True):
        whole = model.chat.plain(context + continuation)
        before = len(model.chat.plain(context))
        (echoed,) = model.token_logprobs([whole])
        expected = sum(one for one in echoed.logprobs[before:] if one is not None)
        assert score == pytest.approx(expected, abs=1e-3)
    assert all(len(model.chat.plain(text)) > 0 for text in found["texts"])


def test_promptfoo_asks_and_checks(url: str, tmp_path: Path) -> None:
    config = {
        "prompts": ["{{question}}"],
        "providers": [
            {
                "id": "openai:chat:tiny",
                "config": {"apiBaseUrl": f"{url}/v1", "apiKey": "none", "max_tokens": 5},
            }
        ],
        "tests": [
            {
                "vars": {"question": "Where is my card?"},
                "assert": [
                    {"type": "regex", "value": "\\S"},
                    {"type": "latency", "threshold": 60000},
                ],
            }
        ],
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    quiet = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"}
    command = [needed(PROMPTFOO), "eval", "-c", "c.yaml", "-o", "out.json", "--no-cache"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **quiet, "PROMPTFOO_CONFIG_DIR": str(tmp_path / "own")},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    results = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["results"]
    assert results["stats"]["successes"] == 1


def test_schemathesis_finds_no_500(url: str) -> None:
    program = needed(STRANGERS / "schemathesis")
    command = [
        program,
        "run",
        f"{url}/openapi.json",
        "--checks=not_a_server_error",
        "--max-examples=40",
        "--request-timeout=60",
        "--seed=1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]

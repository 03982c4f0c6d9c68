"""A real server on loopback with a tiny model, bundles of every kind, and the official client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
import uvicorn
from openai import OpenAI
from starlette.applications import Starlette

from accordeur.core.candidate import Candidate
from accordeur.core.rendering import Request
from accordeur.core.task import Label, TaskBrief
from accordeur.models.source import EMBEDDER, Models
from accordeur.parts.bundle import Bundle, save_bundle
from accordeur.parts.calibration import Calibration
from accordeur.parts.classifier.majority import Majority
from accordeur.parts.decoding import Decoding
from accordeur.parts.demonstrations import FixedDemonstrations
from accordeur.parts.demonstrations.demonstration import Demonstration
from accordeur.parts.pattern import Reason
from accordeur.parts.prompt import Prompt
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.parts.weights import LoraWeights
from accordeur.serve.app import make_app
from accordeur.serve.engine import Engine
from accordeur.serve.jobs import Computing
from accordeur.serve.model import ServedModels
from accordeur.serve.served import Catalog, Served, serve_bundle, serve_model
from accordeur.serve.server import listen
from accordeur.serve.ticket import Ticket
from accordeur.testing.tiny import tiny_model

torch.set_num_threads(1)

LABELS = TaskBrief(
    "teams",
    "",
    "Which team?",
    "labels",
    (Label("billing", "Billing"), Label("card", "Lost card"), Label("other", "Something else")),
    "accuracy",
)
TEXTS = TaskBrief("replies", "", "Reply in a few words.", "text", (), "rouge_l")


@dataclass(frozen=True)
class World:
    """What is served and how to reach it."""

    folder: Path
    url: str
    engine: Engine
    served: dict[str, Served]

    @property
    def client(self) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=60)

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60)


def bundles(base: str, width: int) -> dict[str, Candidate]:
    """One of every kind."""
    draws = np.random.default_rng(1)
    labels = Candidate(LABELS, base).with_part(Prompt("Which team?")).with_part(Decoding("score"))
    texts = Candidate(TEXTS, base).with_part(Prompt("Reply in a few words."))
    texts = texts.with_part(Decoding("generate", max_tokens=8))
    vectors = draws.normal(0, 0.3, (3, width)).astype(np.float32)
    soft = SoftPrompt("insert", vectors, vectors[:0], 3, base, "p", 2, 4)
    return {
        "labels": labels,
        "calibrated": labels.with_part(
            Calibration("fitted", ("billing", "card", "other"), (99.0, 0.0, 0.0))
        ),
        "adapted": labels.with_part(_lora(base, width, 3)),
        "adapted-too": labels.with_part(_lora(base, width, 4)),
        "soft": labels.with_part(soft),
        "texts": texts.with_part(
            FixedDemonstrations((Demonstration("r", "r", Request("Hello?"), "Good day."),))
        ),
        "reasons": texts.with_part(Reason(max_tokens=12)),
        "votes": texts.with_part(Decoding("generate", 8, temperature=1.0, samples=3)),
        "majority": Candidate(LABELS, None).with_part(
            Majority(("billing", "card", "other"), (2, 5, 3))
        ),
    }


def _lora(base: str, width: int, seed: int) -> LoraWeights:
    draws = np.random.default_rng(seed)
    pairs = {
        f"model.layers.{layer}.self_attn.{kind}_proj": (
            draws.normal(0, 0.3, (2, width)).astype(np.float32),
            draws.normal(0, 0.3, (outputs, 2)).astype(np.float32),
        )
        for layer in range(2)
        for kind, outputs in (("q", width), ("v", width // 2))
    }
    return LoraWeights(pairs, 2, 4.0, False, base, "p")


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Its URL while it runs."""
    bound = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture(scope="session")
def folders(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("bundles")
    return {
        name: save_bundle(Bundle(candidate), place / name)
        for name, candidate in bundles(str(tiny_folder), 64).items()
    }


@contextmanager
def world(folders: dict[str, Path], base: Path, **settings: object) -> Iterator[World]:
    """A server of all bundles and the model as it is."""
    engine = Engine()
    source = ServedModels(Models(dtype="float32"), engine)
    served = [serve_bundle(name, folder, source) for name, folder in folders.items()]
    served.append(serve_model("tiny", str(base), source))
    catalog = Catalog(served, {EMBEDDER: source.embedder(EMBEDDER)})
    app = make_app(catalog, engine, **settings)  # type: ignore[arg-type]
    with running(app) as url:
        yield World(base, url, engine, {one.name: one for one in served})


@pytest.fixture(scope="session")
def served(folders: dict[str, Path], tiny_folder: Path) -> Iterator[World]:
    with world(folders, tiny_folder) as found:
        yield found


def hold(engine: Engine) -> threading.Event:
    """Keep the engine busy until the event is set."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(items: Sequence[object]) -> Sequence[object]:
        begun.set()
        go_on.wait(30)
        return items

    engine.submit(Computing("hold", 0, wait, Ticket()))
    assert begun.wait(30)
    return go_on

"""Fixtures of the engine's tests: a tiny random model with the real tokenizer, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models import catalog
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.testing.tiny import tiny_model
from accordeur.testing.tiny_t5 import tiny_t5

torch.set_num_threads(1)  # a tiny model gains nothing from more, and loses much on a busy machine


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> LocalModel:
    return Models(dtype="float32").local(str(tiny_folder))


@pytest.fixture(scope="session")
def strict(tiny_folder: Path) -> LocalModel:
    return Models(deterministic=True).local(str(tiny_folder))


@pytest.fixture(scope="session")
def t5_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_t5(tmp_path_factory.mktemp("t5") / "model")


@pytest.fixture(scope="session")
def t5(t5_folder: Path) -> LocalModel:
    return Models().local(str(t5_folder))


@pytest.fixture(scope="session")
def strict_t5(t5_folder: Path) -> LocalModel:
    return Models(deterministic=True).local(str(t5_folder))


def ask(
    text: str, *, instruction: str = "Which team?", shots: tuple[tuple[str, str], ...] = ()
) -> Rendered:
    """The usual prompt: instruction, demonstrations, then the row."""
    messages = [Message("user", (Segment(f"{instruction}\n\n", shared=True),))]
    for number, (question, answer) in enumerate(shots):
        for role, shown in (("user", question), ("assistant", answer)):
            segments = (Segment(shown, "data", shared=True),)
            messages.append(Message(role, segments, demonstration=number))  # type: ignore[arg-type]
    messages.append(Message("user", (Segment(text, "data", trim=True),)))
    return Rendered(tuple(messages))


@pytest.fixture(scope="session")
def smollm2_folder() -> Path:
    return catalog.ready(catalog.SMOLLM2)

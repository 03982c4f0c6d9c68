"""A tiny random model with the real tokenizer, and rows that share a prefix."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from accordeur.models.local.adapter import Loaded
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.testing.tiny import tiny_model
from accordeur.training.rows import TrainingRow

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> LocalModel:
    return Models(dtype="float32").model(str(tiny_folder))


@pytest.fixture(scope="session")
def modules(tiny: LocalModel) -> Loaded:
    return tiny.modules()


@pytest.fixture(scope="session")
def rows() -> list[TrainingRow]:
    """Rows of unlike lengths behind one prefix of nine tokens."""
    draws = torch.Generator().manual_seed(3)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(100, 40_000, (count,), generator=draws).tolist())

    prefix = tokens(9)
    return [TrainingRow(prefix, tokens(3 + i), tokens(2 + i % 3)) for i in range(7)]

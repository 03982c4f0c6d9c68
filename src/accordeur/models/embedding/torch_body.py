"""The network of an embedding model, run by transformers and torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from accordeur.core.model import FloatArray
from accordeur.models.embedding.recipe import Pooling
from accordeur.models.local.adapter import VERSION, load_encoder

ENGINE = f"accordeur-bert/1 torch/{torch.__version__} transformers/{VERSION}"

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class TorchBody:
    """A network on the processor.

    Args:
        folder: with `config.json` and safetensors.
        pooling: how states become a vector; it is done in float32 always.
        dtype: of `DTYPES`.

    Raises:
        ModelError: the folder holds no such model.
    """

    pads = True
    batch_tokens = 2_048

    def __init__(self, folder: Path, pooling: Pooling, dtype: str = "float32") -> None:
        self._model: Any = load_encoder(folder, DTYPES[dtype])
        self._pooling = pooling

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.config.hidden_size)

    @property
    def threads(self) -> int:
        """That torch uses."""
        return torch.get_num_threads()

    @torch.inference_mode()
    def vectors(self, rows: Sequence[Sequence[int]]) -> FloatArray:
        """Unit vectors of texts, float32 [rows, dimension]."""
        width = max(len(row) for row in rows)
        tokens = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width)
        for at, row in enumerate(rows):
            tokens[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1.0
        states = self._model(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        states = states.float()
        if self._pooling == "cls":
            pooled = states[:, 0]
        else:
            pooled = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        vectors: FloatArray = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return vectors

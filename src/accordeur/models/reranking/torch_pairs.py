"""The network of a cross-encoder, run by transformers and torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from accordeur.models.local.adapter import VERSION, load_cross_encoder

ENGINE = f"accordeur-pairs/1 torch/{torch.__version__} transformers/{VERSION}"


class TorchPairs:
    """A network on the processor, in float32.

    Args:
        folder: with `config.json` and safetensors.

    Raises:
        ModelError: the folder holds no such model.
    """

    batch_tokens = 2_048

    def __init__(self, folder: Path) -> None:
        self._model: Any = load_cross_encoder(folder)
        # Networks that know one type of token only, or none, are not told of any.
        self._typed = getattr(self._model.config, "type_vocab_size", 0) > 1

    @property
    def threads(self) -> int:
        """That torch uses."""
        return torch.get_num_threads()

    @torch.inference_mode()
    def scores(self, rows: Sequence[Sequence[int]], types: Sequence[Sequence[int]]) -> list[float]:
        """The network's one output for each pair, no function applied.

        Args:
            rows: tokens of pairs, at least one, none of them empty.
            types: of which text each token is, 0 or 1.
        """
        shape = len(rows), max(len(row) for row in rows)
        tokens, kinds, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        for at, (row, of) in enumerate(zip(rows, types, strict=True)):
            tokens[at, : len(row)] = torch.tensor(row)
            kinds[at, : len(row)] = torch.tensor(of)
            mask[at, : len(row)] = 1
        typed = {"token_type_ids": kinds} if self._typed else {}
        logits = self._model(input_ids=tokens, attention_mask=mask, **typed).logits
        return [float(one) for one in logits[:, 0]]

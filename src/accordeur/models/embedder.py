"""Sentence embeddings with a small BERT: mean of the token states, scaled to length 1.

The recipe of sentence-transformers/all-MiniLM-L6-v2 (Reimers and Gurevych 2019,
https://arxiv.org/abs/1908.10084): at most 256 tokens with [CLS] and [SEP], the mean over all of
them, L2-normalised. Texts go by length into batches; with `deterministic` each goes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from accordeur.core.errors import ModelError
from accordeur.core.model import FloatArray, ModelIdentity

TOKENS = 256
"""Longest text, [CLS] and [SEP] included."""

BATCH_TOKENS = 2_048


class BertEmbedder:
    """An embedding model of the BERT family.

    Use `load`; the constructor takes what is already loaded.
    """

    def __init__(self, model: Any, tokenizer: Tokenizer, identity: ModelIdentity) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._identity = identity

    @classmethod
    def load(
        cls, folder: Path, *, name: str, digest: str, deterministic: bool = False
    ) -> BertEmbedder:
        """Load from a folder with `config.json`, `tokenizer.json` and `model.safetensors`.

        Raises:
            ModelError: the folder holds no such model.
        """
        from accordeur.models.local.adapter import VERSION, load_bert

        model = load_bert(folder)
        if not (folder / "tokenizer.json").is_file():
            raise ModelError(f"`{folder}` has no `tokenizer.json`.")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(TOKENS)
        identity = ModelIdentity(
            name=name,
            digest=digest,
            engine=f"accordeur-bert/1 torch/{torch.__version__} transformers/{VERSION}",
            dtype="float32",
            threads=torch.get_num_threads(),
            batch_tokens=BATCH_TOKENS,
            device="cpu",
            deterministic=deterministic,
        )
        return cls(model, tokenizer, identity)

    @property
    def identity(self) -> ModelIdentity:
        """Everything that can change a vector."""
        return self._identity

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._model.config.hidden_size)

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]; equal texts are computed once."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        distinct = {text: at for at, text in enumerate(dict.fromkeys(texts))}
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(distinct))]
        found = np.zeros((len(rows), self.dimension), dtype=np.float32)
        order = sorted(range(len(rows)), key=lambda at: -len(rows[at]))
        at = 0
        while at < len(order):
            size = 1 if self._identity.deterministic else BATCH_TOKENS // len(rows[order[at]])
            batch = order[at : at + max(1, size)]
            found[batch] = self._forward([rows[index] for index in batch])
            at += len(batch)
        if texts:
            vectors[:] = found[[distinct[text] for text in texts]]
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens it reads, [CLS] and [SEP] of every text included."""
        return sum(len(one.ids) for one in self._tokenizer.encode_batch(list(texts)))

    def _forward(self, rows: Sequence[Sequence[int]]) -> FloatArray:
        width = max(len(row) for row in rows)
        tokens = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width)
        for at, row in enumerate(rows):
            tokens[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1.0
        hidden = self._model(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        vectors: FloatArray = torch.nn.functional.normalize(mean, dim=1).numpy()
        return vectors

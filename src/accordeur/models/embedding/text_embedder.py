"""From texts to unit vectors, whatever computes them.

Texts are cut after the recipe's number of tokens, equal texts are computed once, and batches are
formed by length. A body that takes padding gets batches of similar length; one that does not gets
texts of one length only, which costs nothing where there are thousands of texts and spares it the
padding and the mask. With `deterministic` each text goes alone, so that its vector depends on no
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from tokenizers import Tokenizer

from accordeur.core.errors import ModelError
from accordeur.core.model import FloatArray, ModelIdentity
from accordeur.models.embedding.recipe import Recipe
from accordeur.models.length_batches import length_batches

Rows = Sequence[Sequence[int]]
"""Tokens of texts."""


class Body(Protocol):
    """A network with its pooling."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def pads(self) -> bool:
        """Whether texts of one batch may differ in length."""
        ...

    @property
    def batch_tokens(self) -> int:
        """Tokens of a batch, padding included, unless a single text has more."""
        ...

    def vectors(self, rows: Rows) -> FloatArray:
        """Unit vectors of texts, float32 [rows, dimension].

        Args:
            rows: at least one, none of them empty.
        """
        ...


class TextEmbedder:
    """A `core.model.Embedder` that runs here.

    Args:
        body: the network.
        tokenizer: of the model.
        recipe: of the model.
        identity: everything that can change a vector.
    """

    def __init__(
        self, body: Body, tokenizer: Tokenizer, recipe: Recipe, identity: ModelIdentity
    ) -> None:
        self._body = body
        self._recipe = recipe
        self._identity = identity
        self._counter = tokenizer
        self._counter.no_padding()
        self._counter.no_truncation()
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.enable_truncation(recipe.max_tokens)

    @property
    def identity(self) -> ModelIdentity:
        """Everything that can change a vector."""
        return self._identity

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._body.dimension

    @property
    def max_tokens(self) -> int:
        """Longest text that is read to its end, special tokens included."""
        return self._recipe.max_tokens

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, uncut, special ones included."""
        return len(self._counter.encode(self._read(text)).ids)

    def embed(self, texts: Sequence[str]) -> FloatArray:
        """Unit vectors, float32 [texts, dimension]; equal texts are computed once."""
        distinct = {text: at for at, text in enumerate(dict.fromkeys(texts))}
        read = [self._read(text) for text in distinct]
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(read)]
        found = np.zeros((len(rows), self.dimension), dtype=np.float32)
        for batch in length_batches(
            [len(row) for row in rows],
            self._body.batch_tokens,
            alone=self._identity.deterministic,
            pads=self._body.pads,
        ):
            found[batch] = self._body.vectors([rows[index] for index in batch])
        vectors: FloatArray = found[[distinct[text] for text in texts]]
        return vectors

    def _read(self, text: str) -> str:
        text = self._recipe.prompt + text
        return text.lower() if self._recipe.lower else text


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a folder.

    Raises:
        ModelError: it has none.
    """
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelError(f"`{folder}` has no `tokenizer.json`.")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises no more specific class
        raise ModelError(f"`{path}` is no tokenizer: {error}") from error

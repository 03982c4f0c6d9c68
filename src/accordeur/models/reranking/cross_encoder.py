"""A reranker that runs here: a cross-encoder, as sentence-transformers saves one.

Question and text stand in one row of tokens, so every word of one sees every word of the other. The
score is the network's output itself. sentence-transformers puts it through a sigmoid where the
folder does not say otherwise; that changes no order but of scores that it rounds to the same 1.0. A
text that spells a control token, such as `[SEP]`, is text here; to sentence-transformers it is the
token.

R. Nogueira, K. Cho, Passage Re-ranking with BERT, 2019, https://arxiv.org/abs/1901.04085.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tokenizers import Tokenizer

from accordeur.core.errors import ContextOverflow, ModelError
from accordeur.core.fingerprint import digest as fingerprint
from accordeur.core.model import ModelIdentity, Relevance
from accordeur.models.length_batches import length_batches
from accordeur.models.reranking.tokenizing import PairTokens, read_pair_tokens

LEAST = 8
"""Tokens of a text that are read at least; a longer question is refused."""


class Pairs(Protocol):
    """A network that scores pairs."""

    @property
    def batch_tokens(self) -> int:
        """Tokens of a batch, padding included, unless a single pair has more."""
        ...

    def scores(self, rows: Sequence[Sequence[int]], types: Sequence[Sequence[int]]) -> list[float]:
        """A score for each pair of tokens and their types."""
        ...


class CrossEncoder:
    """A `core.model.Reranker` that runs here.

    Args:
        pairs: the network.
        tokens: from a pair to tokens.
        identity: everything that can change a score.
    """

    def __init__(self, pairs: Pairs, tokens: PairTokens, identity: ModelIdentity) -> None:
        self._pairs = pairs
        self._limit = tokens.limit
        self._counter, self._tokenizer = _plain(tokens.tokenizer), _plain(tokens.tokenizer)
        self._counter.no_truncation()
        self._tokenizer.enable_truncation(tokens.limit, strategy="only_second")
        self.identity = identity

    def score(self, question: str, texts: Sequence[str]) -> Relevance:
        """The relevance of each text; see `core.model.Reranker`.

        Raises:
            ContextOverflow: the question leaves no room for a text.
            ModelError: the network gives no numbers.
        """
        room = self._limit - len(self._counter.encode(question, "").ids)
        if room < LEAST:
            raise ContextOverflow(
                f"`{self.identity.name}` reads {self._limit:,} tokens, and the question leaves "
                f"{max(0, room)} of them for a passage.",
                hint="ask in fewer words",
            )
        read = self._tokenizer.encode_batch([(question, text) for text in texts])
        scores = [0.0] * len(texts)
        alone = self.identity.deterministic
        for batch in length_batches(
            [len(one) for one in read], self._pairs.batch_tokens, alone=alone
        ):
            rows, types = [read[at].ids for at in batch], [read[at].type_ids for at in batch]
            for at, score in zip(batch, self._pairs.scores(rows, types), strict=True):
                scores[at] = score
        if not all(map(math.isfinite, scores)):
            raise ModelError(
                f"`{self.identity.name}` gives scores that are no numbers.",
                hint="fetch the model again",
            )
        return Relevance(tuple(scores), sum(bool(one.overflowing) for one in read))


def _plain(tokenizer: Tokenizer) -> Tokenizer:
    """A copy that adds no padding, and takes text that spells a control token for text."""
    made: Tokenizer = Tokenizer.from_str(tokenizer.to_str())
    made.no_padding()
    made.encode_special_tokens = True
    return made


def load_cross_encoder(
    folder: Path, *, name: str, digest: str, deterministic: bool = False
) -> CrossEncoder:
    """The cross-encoder in a folder.

    Args:
        name, digest: of its identity; the digest is that of weights and configuration.
        deterministic: a score does not depend on what is scored with it.

    Raises:
        ModelError: the folder holds no such model.
    """
    from accordeur.models.reranking.torch_pairs import ENGINE, TorchPairs

    tokens = read_pair_tokens(folder)
    pairs = TorchPairs(folder)
    identity = ModelIdentity(
        name=name,
        digest=fingerprint([digest, tokens.digest]),
        engine=ENGINE,
        dtype="float32",
        threads=pairs.threads,
        batch_tokens=pairs.batch_tokens,
        device="cpu",
        deterministic=deterministic,
    )
    return CrossEncoder(pairs, tokens, identity)

"""The slot `decoding`: how an answer leaves the model.

`score` compares the labels' log-probabilities (DESIGN P4); `generate` writes text (P5), or one of
the labels where the model can be held to them; `quote` answers with a stretch of passages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from accordeur.core.errors import BundleError
from accordeur.core.model import Choosing, Sampling
from accordeur.core.part import Slot

REASONING = 128
"""Tokens that reasoning is allowed beyond its answer (DESIGN P5)."""

UNMEASURED_LIMIT = 256
"""Tokens of an answer where there is nothing to measure one by."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """Decoding settings. The default is greedy.

    Attributes:
        mode: `score` labels, `generate` text, or `quote` passages.
        max_tokens: limit of new tokens when generating.
        temperature, top_p, seed: as `Sampling`.
        samples: answers written to each request, of which the most frequent is given.
        choose: how a model that writes is held to the labels: `top` of its first tokens, or a JSON
            `schema`; empty where it writes freely.
    """

    slot: ClassVar[Slot] = "decoding"

    mode: Literal["score", "generate", "quote"]
    max_tokens: int = 0
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    samples: int = 1
    choose: Choosing = ""

    @property
    def trained_parameters(self) -> int:
        """None."""
        return 0

    @property
    def sampling(self) -> Sampling:
        """As the model interface takes it."""
        return Sampling(self.max_tokens, self.temperature, self.top_p, self.seed)

    def describe(self) -> str:
        """A vote; anything else is not worth a word, every language-model candidate has it."""
        return f"the vote of {self.samples} samples" if self.samples > 1 else ""

    def files(self) -> Mapping[str, bytes]:
        """`decoding.json`."""
        data = {name: getattr(self, name) for name in self.__slots__}
        if not self.choose:
            del data["choose"]  # most have none, and keep the fingerprint they always had
        return {"decoding.json": json.dumps(data, indent=2, sort_keys=True).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Decoding:
        """Read `decoding.json` back.

        Raises:
            BundleError: it is not what `files` writes.
        """
        try:
            data = json.loads(files["decoding.json"])
            if data["mode"] not in ("score", "generate", "quote"):
                raise ValueError(data["mode"])
            made = cls(**data)
            if made.choose not in ("", "top", "schema"):
                raise ValueError(made.choose)
            if made.max_tokens < 0 or made.temperature < 0 or not 0 < made.top_p <= 1:
                raise ValueError("a setting is out of range")
            if made.samples < 1 or (made.samples > 1 and not made.temperature):
                raise ValueError("a vote needs samples that differ")
            return made
        except (KeyError, ValueError, TypeError) as error:
            raise BundleError(
                "`decoding.json` cannot be read.", hint="`mode` is `score`, `generate` or `quote`"
            ) from error


def answer_limit(targets: Iterable[str], count_tokens: Callable[[str], int]) -> int:
    """Tokens allowed for a text answer: 2 x P95 of the train targets' tokens + 8 (DESIGN P5).

    Args:
        targets: the answers of train rows as the model would write them; without any, 256.
        count_tokens: of the model.
    """
    lengths = [count_tokens(target) for target in targets]
    if not lengths:
        return UNMEASURED_LIMIT
    return 2 * math.ceil(float(np.percentile(lengths, 95))) + 8

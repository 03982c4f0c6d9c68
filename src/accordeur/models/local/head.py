"""From hidden states to log-probabilities, never holding logits for more than a few positions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from accordeur.models.local.product import product

ROWS = 256
COLUMNS = 12_288
"""Block of logits held at once, positions by words: 12.6 MB of float32, about a processor's cache.
Wide blocks of few positions would read the whole weight again for each, at half the speed."""


@dataclass(frozen=True, slots=True)
class Head:
    """The output layer of a language model.

    Logits are `softcap(scale * (weight @ hidden + bias))`.

    Attributes:
        weight: [V, E].
        bias: [V] or `None`.
        scale: factor of some architectures (Cohere, Granite).
        softcap: `cap * tanh(logit / cap)` of Gemma 2; 0 means none.
    """

    weight: Tensor
    bias: Tensor | None = None
    scale: float = 1.0
    softcap: float = 0.0

    def logits(self, hidden: Tensor) -> Tensor:
        """Float32 logits [N, V] of hidden states [N, E]."""
        return self._finish(product(hidden, self.weight, self.bias).float())

    def _finish(self, logits: Tensor) -> Tensor:
        if self.scale != 1.0:
            logits = logits * self.scale
        if self.softcap:
            logits = torch.tanh(logits / self.softcap) * self.softcap
        return logits

    def log_normaliser(self, hidden: Tensor) -> Tensor:
        """log sum_v exp(logit_v), float32 [N], of hidden states [N, E]."""
        chunks = [self._log_normaliser(part) for part in torch.split(hidden, ROWS)]
        return torch.cat(chunks)

    def _log_normaliser(self, hidden: Tensor) -> Tensor:
        parts = []
        for start in range(0, len(self.weight), COLUMNS):
            words = slice(start, start + COLUMNS)
            bias = None if self.bias is None else self.bias[words]
            logits = product(hidden, self.weight[words], bias)
            parts.append(torch.logsumexp(self._finish(logits.float()), dim=-1))
        return torch.logsumexp(torch.stack(parts), dim=0)

    def target_logits(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Logits of single tokens as float32 dot products: [..., E] and [...] give [...].

        bfloat16 products round a logit by up to 0.06; these do not.
        """
        values = (hidden.float() * self.weight[targets].float()).sum(-1)
        if self.bias is not None:
            values = values + self.bias[targets].float()
        return self._finish(values)

"""Keys and values of shared prefixes, the least recently used ones dropped first."""

from __future__ import annotations

from collections import OrderedDict

import torch

from accordeur.models.local.body import Body, Prefix

BYTES = 512 * 2**20
"""Memory the cache may take; a prefix of 500 tokens of SmolLM2-135M takes 23 MB in float32."""


class PrefixCache:
    """Prefixes of one body.

    A prefix is always computed by itself from its first token, so its numbers do not depend on what
    the cache holds.
    """

    def __init__(self, body: Body, capacity: int = BYTES) -> None:
        self._body = body
        self._capacity = capacity
        self._held: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()

    @torch.inference_mode()
    def get(self, tokens: tuple[int, ...]) -> tuple[Prefix | None, int]:
        """The prefix of these tokens, and how many had to be computed for it."""
        if not tokens:
            return None, 0
        if tokens in self._held:
            self._held.move_to_end(tokens)
            return self._held[tokens], 0
        made = self._body.extend(tokens, None)
        self._held[tokens] = made
        while len(self._held) > 1 and sum(p.bytes for p in self._held.values()) > self._capacity:
            self._held.popitem(last=False)
        return made, len(tokens)

    @torch.inference_mode()
    def with_stem(
        self, tokens: tuple[int, ...], stem: tuple[int, ...]
    ) -> tuple[Prefix | None, int]:
        """The prefix followed by a stem, which is not kept; and how many tokens were computed."""
        prefix, computed = self.get(tokens)
        if not stem:
            return prefix, computed
        return self._body.extend(stem, prefix), computed + len(stem)

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()

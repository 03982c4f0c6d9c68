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
    the cache holds. Those that `grown` makes are the exception, and nothing that is measured asks
    for them.
    """

    def __init__(self, body: Body, capacity: int = BYTES) -> None:
        self._body = body
        self._capacity = capacity
        self._held: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()
        self._grown: set[tuple[int, ...]] = set()

    @torch.inference_mode()
    def get(self, tokens: tuple[int, ...]) -> tuple[Prefix | None, int]:
        """The prefix of these tokens, and how many had to be computed for it."""
        if not tokens:
            return None, 0
        if tokens in self._held:
            self._held.move_to_end(tokens)
            return self._held[tokens], 0
        made = self._body.extend(tokens, None)
        self._hold(made)
        return made, len(tokens)

    @torch.inference_mode()
    def grown(self, tokens: tuple[int, ...]) -> tuple[Prefix | None, int]:
        """As `get`, from the longest start of these tokens that any prefix has: a conversation
        reads what was added since its last turn. Numbers differ in rounding with what is held.
        """
        found = max(self._held.values(), key=lambda one: _common(one.tokens, tokens), default=None)
        common = 0 if found is None else _common(found.tokens, tokens)
        if found is None or not common:
            made, computed = self.get(tokens)
            self._grown.add(tokens)
            return made, computed
        if found.tokens == tokens:
            self._held.move_to_end(tokens)
            return found, 0
        start = found.start(common)
        made = self._body.extend(tokens[common:], start) if common < len(tokens) else start
        if found.tokens in self._grown and common == found.length:
            del self._held[found.tokens]  # its only use was to grow
            self._grown.discard(found.tokens)
        self._hold(made)
        self._grown.add(tokens)
        return made, len(tokens) - common

    def _hold(self, made: Prefix) -> None:
        self._held[made.tokens] = made
        self._held.move_to_end(made.tokens)
        while len(self._held) > 1 and sum(p.bytes for p in self._held.values()) > self._capacity:
            dropped, _ = self._held.popitem(last=False)
            self._grown.discard(dropped)

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
        self._grown.clear()


def _common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many first tokens two texts share."""
    if one == other[: len(one)]:
        return len(one)
    pairs = zip(one, other, strict=False)
    return next((at for at, (mine, theirs) in enumerate(pairs) if mine != theirs), len(other))

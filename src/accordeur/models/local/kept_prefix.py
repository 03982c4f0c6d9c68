"""A network whose first positions have trained keys and values (prefix tuning)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from accordeur.core.errors import ModelError
from accordeur.core.model import KeyValues
from accordeur.models.local.body import Body, Layout, Prefix


class KeptPrefixBody:
    """A body that takes the keys and values of a prompt's first tokens from a store.

    To the engine the tokens are still there: they are counted, cached and shown as words.

    Args:
        body: computes everything after them.
        stored: the trained keys and values.

    Raises:
        ModelError: they are of another shape than the network's.
    """

    def __init__(self, body: Body, stored: KeyValues) -> None:
        self._body = body
        self._tokens = stored.tokens
        with torch.inference_mode():
            made = body.extend(stored.tokens[:1], None)
        expected = (
            len(made.keys),
            made.keys[0].shape[0],
            len(stored.tokens),
            made.keys[0].shape[2],
        )
        if expected != stored.keys.shape or expected != stored.values.shape:
            raise ModelError(
                f"The trained prefix has shape {stored.keys.shape}; this model needs {expected}.",
                hint="use the base model that the bundle names",
            )
        keys, values = (
            tuple(torch.from_numpy(layer).to(body.device, body.dtype) for layer in tensor)
            for tensor in (stored.keys, stored.values)
        )
        self._start = Prefix(stored.tokens, keys, values)

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self._body.device

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self._body.dtype

    @property
    def vocabulary(self) -> int:
        """V, rows of the embedding table."""
        return self._body.vocabulary

    def with_virtual(self, vectors: Tensor) -> Body:
        """Refused: a prefix of keys and values and virtual tokens fill the same slot."""
        raise ModelError("A trained prefix and a soft prompt cannot be used together.")

    def extend(self, tokens: Sequence[int], past: Prefix | None) -> Prefix:
        """Keys and values of `past` followed by `tokens`.

        Raises:
            ModelError: a prompt does not begin with the tokens that the stored ones stand for.
        """
        if past is not None:
            return self._body.extend(tokens, past)
        count = len(self._tokens)
        if tuple(tokens[:count]) != self._tokens:
            raise _other_prompt()
        rest = tokens[count:]
        return self._body.extend(rest, self._start) if rest else self._start

    def hidden(self, tokens: Tensor, layout: Layout, prefix: Prefix | None) -> Tensor:
        """See `Body.hidden`. Errors as `extend`."""
        return self._body.hidden(tokens, layout, _needed(prefix))

    def start(
        self, tokens: Tensor, layout: Layout, prefix: Prefix | None, room: int
    ) -> tuple[Tensor, Any]:
        """See `Body.start`. Errors as `extend`."""
        return self._body.start(tokens, layout, _needed(prefix), room)

    def step(self, state: Any, tokens: Tensor) -> Tensor:
        """See `Body.step`."""
        return self._body.step(state, tokens)

    def keep(self, state: Any, rows: Tensor) -> None:
        """See `Body.keep`."""
        self._body.keep(state, rows)


def _needed(prefix: Prefix | None) -> Prefix:
    if prefix is None:
        raise _other_prompt()
    return prefix


def _other_prompt() -> ModelError:
    return ModelError(
        "The prompt does not begin with the words whose keys and values were trained.",
        hint="use the prompt of the bundle unchanged",
    )

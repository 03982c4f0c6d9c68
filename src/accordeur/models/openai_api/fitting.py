"""Makes a prompt fit an endpoint's context, as the engine does for models of this machine.

Demonstrations that do not fit are dropped whole, first ones first; then what may be trimmed is cut
from the left; fixed text that does not fit is an error (DESIGN P3). Tokens are counted by the
endpoint where it has a tokenizer, else estimated from above. A context that it does not tell is
learned from its refusals, which also tell how far the estimate is off.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from accordeur.core.errors import ContextOverflow
from accordeur.core.rendering import Message, Rendered
from accordeur.models.openai_api.failures import Failure, Kind
from accordeur.models.openai_api.wire import most_likely

T = TypeVar("T")

Count = Callable[[Rendered], Awaitable[int]]
"""Tokens of a prompt."""

OBSERVED = 16
"""Answers that put the estimate right."""

_OBSERVED_SPARE = 1.1

REFUSALS = 6
"""How often a prompt is shortened and sent again."""

_PER_MESSAGE = 8
"""Tokens that a chat template puts around a message, at most."""

_TEMPLATE = 64
"""And around a conversation: a system message of its own."""

_SHORTER = 0.8
"""Share of a refused prompt that is sent next where the endpoint tells no numbers."""

_SPARE = 1.02
"""An estimate that was put right for one prompt may be a little too low for the next."""

_N = r"([0-9][0-9,]{0,11})"
_WINDOW = re.compile(
    rf"(?:maximum context length (?:is|of)|context (?:size|length|window) (?:is|of)?"
    rf"|allowed|limit of|>)\s*\(?{_N}|{_N} maximum",
    re.IGNORECASE,
)
_TOLD = tuple(
    re.compile(pattern.replace("N", _N), re.IGNORECASE)
    for pattern in (
        r"\(N in the messages",  # before the sum with the answer, which stands in front of it
        r"N input tokens",
        r"request \(N tokens",
        r"resulted in N",
        r"too long: N",
        r"count \(N\)",
        r"contains N tokens",
        r"requested N tokens",
    )
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that fits.

    Attributes:
        prompt: what is left of it.
        tokens: counted or estimated; `None` where nobody had to count.
        truncated: tokens cut.
        dropped: demonstrations dropped.
    """

    prompt: Rendered
    tokens: int | None = None
    truncated: int = 0
    dropped: int = 0


class Fitting:
    """What is known of an endpoint's context.

    Args:
        window: tokens of prompt and answer together; 0 where it is not known.
        count: tokens of a prompt, where the endpoint counts them.
        learned: told of a window that was not known.
    """

    def __init__(
        self,
        window: int = 0,
        count: Count | None = None,
        learned: Callable[[int], None] = lambda window: None,
    ) -> None:
        self.window = window
        self._count = count
        self._learned = learned
        self._ratio = 1.0
        self._refused = False
        self._observed: list[float] = []

    def observe(self, prompt: Rendered, told: int | None) -> None:
        """Put the estimate right by what the endpoint counted for a prompt that it answered."""
        if told and not self._refused and len(self._observed) < OBSERVED:
            self._observed.append(told / estimate(prompt))
            if len(self._observed) == OBSERVED:
                self._ratio = min(1.0, _OBSERVED_SPARE * max(self._observed))

    async def call(
        self, prompt: Rendered, answer: int, send: Callable[[Rendered], Awaitable[T]]
    ) -> tuple[T, Fitted]:
        """Send a prompt that fits, a shorter one when it is refused as too long.

        Args:
            answer: tokens that are to be spare behind it.
            send: makes the call.

        Raises:
            ContextOverflow: fixed text alone does not fit.
            Failure: of `send`.
        """
        refused = 0
        while True:
            fitted = await self.fit(prompt, answer)
            try:
                return await send(fitted.prompt), fitted
            except Failure as failure:
                refused += 1
                if failure.kind is not Kind.TOO_LONG or refused > REFUSALS:
                    raise
                self._learn(failure.message, fitted.prompt, answer)

    async def fit(self, prompt: Rendered, answer: int) -> Fitted:
        """What of a prompt fits. Arguments and errors as `call`."""
        room = self.window - answer
        if not self.window or _most(prompt) <= room:
            return Fitted(prompt)
        numbers = [one.demonstration for one in prompt.messages if one.demonstration is not None]
        last = 1 + max(numbers, default=-1)
        for dropped in range(last + 1):
            kept = _without(prompt, dropped)
            tokens = await self.tokens(kept)
            if tokens <= room:
                return Fitted(kept, tokens, 0, dropped)
        return await self._trimmed(kept, tokens, room, last)

    async def tokens(self, prompt: Rendered) -> int:
        """Of a prompt: counted, or estimated from above."""
        if self._count is not None:
            return await self._count(prompt)
        return int(self._ratio * estimate(prompt))

    async def _trimmed(self, prompt: Rendered, tokens: int, room: int, dropped: int) -> Fitted:
        """The fewest letters are cut, found by halving."""
        letters = sum(
            len(segment.text)
            for message in prompt.messages
            for segment in message.segments
            if segment.trim
        )
        bare = await self.tokens(_cut(prompt, letters))
        if bare > room or not letters:
            raise ContextOverflow(
                f"The prompt's fixed text takes about {bare} tokens; the model's context has room "
                f"for {max(0, room)} beside the answer.",
                hint="shorten the instruction, the label texts or the answer limit",
            )
        few, enough, left = 0, letters, bare
        while enough - few > 1:
            middle = (few + enough) // 2
            count = await self.tokens(_cut(prompt, middle))
            if count <= room:
                enough, left = middle, count
            else:
                few = middle
        return Fitted(_cut(prompt, enough), left, tokens - left, dropped)

    def _learn(self, message: str, prompt: Rendered, answer: int) -> None:
        window, told = told_lengths(message)
        estimated = self._ratio * estimate(prompt)
        if self._count is None and told:
            self._ratio = max(self._ratio, _SPARE * told / estimate(prompt))
            self._refused = True
        if window and (not self.window or window < self.window):
            self.window = window
        elif not (window and told):
            self.window = max(1, min(self.window or 2**31, int(_SHORTER * estimated) + answer))
        self._learned(self.window)


def estimate(prompt: Rendered) -> int:
    """Tokens of a prompt, rather too many than too few."""
    turns = prompt.turns()
    texts = [turn.text for turn in turns] + [prompt.prefill]
    return sum(map(most_likely, texts)) + _PER_MESSAGE * (len(turns) + 1)


def told_lengths(message: str) -> tuple[int, int]:
    """The context, and the tokens of the prompt, in an endpoint's refusal; 0 where not told."""
    told = next((found for one in _TOLD if (found := one.search(message))), None)
    return _number(_WINDOW.search(message)), _number(told)


def _number(found: re.Match[str] | None) -> int:
    if found is None:
        return 0
    return int(next(one for one in found.groups() if one).replace(",", ""))


def _most(prompt: Rendered) -> int:
    """No tokenizer makes more tokens of it: a byte is one at most."""
    texts = [turn.text for turn in prompt.turns()] + [prompt.prefill]
    size = sum(len(text.encode("utf-8", errors="replace")) for text in texts)
    return size + _PER_MESSAGE * len(texts) + _TEMPLATE


def _without(prompt: Rendered, dropped: int) -> Rendered:
    return replace(prompt, messages=prompt.turns(dropped)) if dropped else prompt


def _cut(prompt: Rendered, letters: int) -> Rendered:
    """The prompt without so many letters of what may be trimmed."""
    messages = []
    for message in prompt.messages:
        segments = []
        for segment in message.segments:
            if segment.trim and letters:
                less = min(letters, len(segment.text))
                letters -= less
                segment = replace(segment, text=segment.text[less:])
            segments.append(segment)
        messages.append(Message(message.role, tuple(segments), message.demonstration))
    return replace(prompt, messages=tuple(messages))

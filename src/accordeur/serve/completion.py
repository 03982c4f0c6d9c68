"""`/v1/completions`: text after text, without a chat template, and `echo`.

Local models as they are complete raw prompts. With `echo` and `logprobs` a prompt's own tokens come
back with their log-probabilities; that is how harnesses score given answers.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from accordeur.core.model import Sampling, Usage
from accordeur.models.local.fitting import Prompt
from accordeur.models.local.token_bytes import offsets, spelling
from accordeur.models.local.token_logprobs import Echoed
from accordeur.serve.errors import refused
from accordeur.serve.model import ServedModel
from accordeur.serve.replies import Json, finish, usage
from accordeur.serve.served import Served
from accordeur.serve.wire import CompletionBody
from accordeur.serve.writing import Text, local_text

SHORT = 16
"""Tokens of an answer where nobody says how many, as OpenAI has it."""


@dataclass(slots=True)
class Completed:
    """One prompt and what follows it."""

    prompt: tuple[int, ...]
    text: Text = field(default_factory=Text)
    echoed: Echoed | None = None


def prompts_of(body: CompletionBody, model: ServedModel) -> list[tuple[int, ...]]:
    """The prompts as tokens.

    Raises:
        ApiError: an empty prompt, a token that does not exist, or one longer than the context.
    """
    given = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    texts = [one for one in given if isinstance(one, str)]
    found: list[tuple[int, ...]]
    if texts:
        found = [model.local.chat.plain(text) for text in texts]
    else:
        arrays = [given] if isinstance(given[0], int) else given
        found = [tuple(one) for one in arrays]  # type: ignore[arg-type]
    limit = model.local.vocabulary
    for tokens in found:
        if not tokens:
            raise refused("A prompt is empty.", param="prompt")
        if max(tokens) >= limit:
            raise refused(f"There is no token {max(tokens)}; there are {limit}.", param="prompt")
        if len(tokens) + (body.max_tokens or 0) > model.context_window:
            raise refused(
                f"The prompt takes {len(tokens)} tokens and the answer {body.max_tokens or 0}; "
                f"this model's context has {model.context_window}.",
                param="prompt",
                code="context_length_exceeded",
            )
    shared = body.shared_tokens
    if shared and any(len(one) <= shared or one[:shared] != found[0][:shared] for one in found):
        raise refused(
            "The prompts do not start with the same `shared_tokens` tokens.", param="shared_tokens"
        )
    return found


def complete(
    model: ServedModel, body: CompletionBody, prompts: Sequence[tuple[int, ...]]
) -> list[Completed]:
    """Every prompt with its answers, those of a prompt behind each other."""
    found = [Completed(tokens) for tokens in prompts for _ in range(body.choices)]
    limit = SHORT if body.max_tokens is None else body.max_tokens
    if body.echo and body.logprobs is not None:
        if not model.local.chat.causal:
            raise refused("An encoder-decoder reads no given text token by token.", param="echo")
        echoed = model.token_logprobs(prompts, shared=body.shared_tokens, top=body.logprobs)
        for at, one in enumerate(found):
            one.echoed = echoed[at // body.choices]
    if limit == 0:
        for one in found:
            one.text = Text(Usage(len(one.prompt)))
        return found
    begun = []
    for at, one in enumerate(found):
        one.text, pieces = _begin(model, body, one.prompt, limit, at % body.choices)
        begun.append(pieces)
    for pieces in begun:  # all of them are in flight together
        for _ in pieces:
            pass
    return found


def stream(
    model: ServedModel, body: CompletionBody, prompt: tuple[int, ...]
) -> tuple[Completed, Iterator[str]]:
    """A single prompt, piece by piece."""
    made = Completed(prompt)
    limit = SHORT if body.max_tokens is None else max(1, body.max_tokens)
    made.text, pieces = _begin(model, body, prompt, limit, 0)
    return made, pieces


def _begin(
    model: ServedModel, body: CompletionBody, tokens: tuple[int, ...], limit: int, again: int
) -> tuple[Text, Iterator[str]]:
    seed = body.seed if body.seed is not None else secrets.randbits(31)
    sampling = Sampling(
        max_tokens=min(limit, max(1, model.context_window - len(tokens))),
        temperature=body.temperature or 0.0,
        top_p=1.0 if body.top_p is None else body.top_p,
        seed=seed,
    )
    shared = min(body.shared_tokens, len(tokens) - 1)
    prompt = Prompt(tokens[:shared], tokens[shared:])
    top = body.logprobs or 0
    return local_text(model, prompt, sampling, stops=body.stops, top=top, again=again)


@dataclass(frozen=True, slots=True)
class CompletionReply:
    """Answers as JSON."""

    served: Served
    model: ServedModel
    body: CompletionBody
    id: str = field(default_factory=lambda: f"cmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, completed: Sequence[Completed]) -> Json:
        """`text_completion`."""
        return {
            **self._head(),
            "choices": [self._choice(at, one) for at, one in enumerate(completed)],
            "usage": self._usage(completed),
        }

    def piece(self, text: str, reason: str | None = None) -> Json:
        """A chunk."""
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
        return {**self._head(), "choices": [choice]}

    def total(self, completed: Completed) -> Json:
        """The chunk that tells the tokens."""
        return {**self._head(), "choices": [], "usage": self._usage([completed])}

    def _usage(self, completed: Sequence[Completed]) -> Json:
        firsts = completed[:: self.body.choices]
        prompt = sum(len(one.prompt) for one in firsts)
        written = sum(one.text.usage.output_tokens for one in completed)
        told = usage([Usage(prompt, written)])
        return told

    def _choice(self, at: int, one: Completed) -> Json:
        decode = self.model.local.chat.decode
        before = decode(one.prompt, special=True) if self.body.echo else ""
        wanted = self.body.logprobs is not None
        return {
            "index": at,
            "text": before + one.text.text,
            "logprobs": self._logprobs(one) if wanted else None,
            "finish_reason": finish(one.text.finished),
        }

    def _logprobs(self, one: Completed) -> Json:
        tokens: list[int] = []
        values: list[float | None] = []
        tops: list[Json | None] = []
        if one.echoed is not None:
            tokens += one.prompt
            values += one.echoed.logprobs
            for value, top in zip(one.echoed.logprobs, one.echoed.tops, strict=True):
                tops.append(None if value is None else self._top(top))
        tokens += [made.token for made in one.text.written]
        values += [made.logprob for made in one.text.written]
        tops += [self._top(made.top) for made in one.text.written]
        data = [self.model.local.chat.token_bytes(token) for token in tokens]
        return {
            "tokens": [spelling(one) for one in data],
            "token_logprobs": values,
            "top_logprobs": tops if self.body.logprobs else None,
            "text_offset": offsets(data),
        }

    def _top(self, top: Sequence[tuple[int, float]]) -> Json:
        # Two tokens may be spelled alike; the likelier one stays.
        spelled = self.model.local.chat.token_bytes
        return {spelling(spelled(token)): value for token, value in reversed(top)}

    def _head(self) -> Json:
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.served.name,
            "system_fingerprint": self.served.fingerprint,
        }

"""Requests and answers of the OpenAI wire, as plain data: nothing is sent here.

Chat completions with text messages (OpenAI API reference, *Create chat completion*).
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accordeur.core.model import Sampling
from accordeur.core.rendering import Rendered
from accordeur.models.openai_api.failures import Failure, Kind, from_answer

OPTIONAL = ("seed", "logprobs", "temperature", "top_p")
"""Fields that are left out when an endpoint refuses them."""


_ENDS = frozenset({"stop", "length", "max_tokens", "eos", "end_turn", "stop_sequence"})
"""How an answer ends that is one; the last of them in the words of vendors."""

_FILTERED = frozenset(
    {"content_filter", "safety", "recitation", "blocklist", "prohibited_content", "spii"}
)

_CUT = frozenset({"length", "max_tokens"})


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        text: what it says; its words of refusal where it refuses in a field of their own.
        finished: ended by the model, not by the limit.
        logprob: mean log-probability of its tokens, nats; `None` where it was not told.
        input_tokens, output_tokens: `None` where they were not told.
        model: as the endpoint resolved it.
        fingerprint: of the system that answered; empty where it has none.
        thought: tokens of thinking that is not shown; 0 where there is none, or none is told.
        first: the most probable tokens in the place of the first that is not blank, with their
            log-probabilities; empty where they were not told.
    """

    text: str
    finished: bool
    logprob: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str = ""
    fingerprint: str = ""
    thought: int = 0
    first: tuple[tuple[str, float], ...] = ()


Content = str | list[dict[str, Any]]
"""A message's text, or its parts."""

Turns = list[dict[str, Content]]


def messages(prompt: Rendered, *, parts: bool = False) -> Turns:
    """The turns of a prompt.

    Args:
        parts: a part for every segment: our own server makes tokens of them one by one, as the
            engine does, so the boundary between an instruction and a row moves no token.

    Raises:
        ValueError: it holds virtual tokens, which only weights can read.
    """
    turns: Turns = []
    for turn in prompt.turns():
        if any(segment.kind == "soft" for segment in turn.segments):
            raise ValueError("an endpoint reads no soft prompt")
        texts = [segment.text for segment in turn.segments]
        shared = [segment.shared for segment in turn.segments]
        turns.append({"role": turn.role, "content": content(texts, parts=parts, shared=shared)})
    if prompt.prefill:
        turns.append({"role": "assistant", "content": content([prompt.prefill], parts=parts)})
    return turns


def content(texts: Sequence[str], *, parts: bool, shared: Sequence[bool] = ()) -> Content:
    """Texts as one message's content.

    Args:
        parts: each is a part of its own.
        shared: those that other prompts hold, too, which our own server keeps computed.
    """
    if not parts:
        return "".join(texts)
    found: list[dict[str, Any]] = []
    for text, kept in itertools.zip_longest(texts, shared, fillvalue=False):
        if text:
            mark = {"shared": True} if kept else {}
            found.append({"type": "text", "text": text, **mark})
    return found or [{"type": "text", "text": ""}]


def plain(told: Content) -> str:
    """The text of a content."""
    return told if isinstance(told, str) else "".join(part["text"] for part in told)


def chat_body(
    model: str,
    turns: Sequence[Mapping[str, Content]],
    sampling: Sampling,
    *,
    limit_field: str = "max_tokens",
    without: Collection[str] = (),
    stream: bool = False,
) -> dict[str, Any]:
    """The body of a chat completion.

    Args:
        limit_field: what the limit of new tokens is called.
        without: fields of `OPTIONAL` that are not sent.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": list(turns),
        limit_field: sampling.max_tokens,
        "temperature": sampling.temperature,
        "logprobs": True,
        "seed": sampling.seed % 2**31,
    }
    if sampling.temperature > 0 and sampling.top_p < 1:
        body["top_p"] = sampling.top_p
    for name in without:
        body.pop(name, None)
    if stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
        body.pop("logprobs", None)
    return body


def read_chat(text: str) -> Reply:
    """The answer in a response's body.

    Raises:
        Failure: it is no JSON, no chat completion, half of one, or an error in its place.
    """
    data = answer_object(text)
    try:
        choice = data["choices"][0]
        inside = from_answer(choice)
        if inside is not None:
            raise inside
        message = choice["message"]
        content = _content(message.get("content"))
        refusal = message.get("refusal")
        ended = choice.get("finish_reason")
        if refusal is not None and not isinstance(refusal, str):
            raise TypeError("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Failure(Kind.MALFORMED, "the answer holds no message") from None
    _check_end(ended)
    return Reply(
        content or refusal or "",
        ended.lower() not in _CUT,
        _mean_logprob(choice.get("logprobs")),
        *told_tokens(data),
        model=str(data.get("model") or ""),
        fingerprint=str(data.get("system_fingerprint") or ""),
        thought=_thought(data.get("usage"), message),
        first=_first_tokens(choice.get("logprobs")),
    )


def answer_object(text: str) -> dict[str, Any]:
    """The JSON object that an answer is.

    Raises:
        Failure: it is none, or an error in its place.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Failure(Kind.NOT_JSON, f"the answer is not JSON: {text[:80]!r}") from None
    if not isinstance(data, dict):
        raise Failure(Kind.MALFORMED, "the answer is no JSON object")
    inside = from_answer(data)
    if inside is not None:
        raise inside
    return data


class StreamReader:
    """Reads a server-sent event stream (WHATWG HTML, 9.2) line by line."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._ended: str | None = None
        self._usage: tuple[int | None, int | None] = (None, None)
        self._model = self._fingerprint = ""

    def line(self, line: str) -> str:
        """The text that a line adds; empty for most.

        Raises:
            Failure: it tells an error, or is no event of this wire.
        """
        if not line.startswith("data:"):
            return ""
        data = line.removeprefix("data:").strip()
        if data == "[DONE]" or not data:
            return ""
        try:
            event = json.loads(data)
            inside = from_answer(event)
            if inside is not None:
                raise inside
            self._model = str(event.get("model") or self._model)
            self._fingerprint = str(event.get("system_fingerprint") or self._fingerprint)
            if event.get("usage"):
                self._usage = told_tokens(event)
            choices = event.get("choices") or []
            if not choices:
                return ""
            delta = choices[0].get("delta") or {}
            piece = _content(delta.get("content")) or str(delta.get("refusal") or "")
            self._ended = choices[0].get("finish_reason") or self._ended
        except (ValueError, RecursionError):
            raise Failure(Kind.NOT_JSON, f"an event is not JSON: {data[:80]!r}") from None
        except (TypeError, AttributeError, KeyError):
            raise Failure(Kind.MALFORMED, "an event holds no piece of a message") from None
        self._said.append(piece)
        return piece

    def end(self) -> Reply:
        """The whole answer.

        Raises:
            Failure: it never came to its end.
        """
        _check_end(self._ended)
        return Reply(
            "".join(self._said),
            (self._ended or "").lower() not in _CUT,
            None,
            *self._usage,
            model=self._model,
            fingerprint=self._fingerprint,
        )


def most_likely(text: str) -> int:
    """About how many tokens a text has, rather too many than too few: three plain letters make
    one, any other sign is its own."""
    plain_letters = sum(sign.isascii() for sign in text)
    return -(-plain_letters // 3) + len(text) - plain_letters


def read_models(text: str) -> list[dict[str, Any]]:
    """What `/models` lists, each with its `id`.

    Raises:
        Failure: it lists nothing that can be read.
    """
    try:
        data = json.loads(text)
        listed = data["data"] if isinstance(data, dict) else data
        return [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]
    except (ValueError, RecursionError):
        raise Failure(Kind.NOT_JSON, f"the list is not JSON: {text[:80]!r}") from None
    except (KeyError, TypeError):
        raise Failure(Kind.MALFORMED, "the endpoint lists no models") from None


def _check_end(ended: Any) -> None:
    if not isinstance(ended, str) or not ended:
        raise Failure(Kind.CUT, "the answer came without its end")
    if ended.lower() in _FILTERED:
        raise Failure(Kind.CONTENT_FILTER, f"the endpoint's filter stopped the answer ({ended})")
    if ended.lower() not in _ENDS:
        raise Failure(Kind.MALFORMED, f"the answer ended with `{ended}`")


def _content(content: Any) -> str:
    """A message's text: a string, or parts of which the texts count."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    return "".join(str(part["text"]) for part in content if part.get("type") == "text")


def told_tokens(data: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Tokens read and written, as an answer tells them; `None` where it does not."""
    told = data.get("usage")
    if not isinstance(told, Mapping):
        return None, None
    counts = told.get("prompt_tokens"), told.get("completion_tokens")
    read = tuple(one if isinstance(one, int) and one >= 0 else None for one in counts)
    return read[0], read[1]


def spent_in(text: str) -> tuple[int | None, int | None]:
    """Tokens read and written that an answer which is none tells; `None` where it does not."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None, None
    return told_tokens(data) if isinstance(data, Mapping) else (None, None)


def _mean_logprob(told: Any) -> float | None:
    try:
        found = [float(one["logprob"]) for one in told["content"]]
        mean = sum(found) / len(found)
    except (TypeError, KeyError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return mean if math.isfinite(mean) else None


def _first_tokens(told: Any) -> tuple[tuple[str, float], ...]:
    try:
        place = next(one for one in told["content"] if one["token"].strip())
        found = [(one["token"], float(one["logprob"])) for one in place["top_logprobs"]]
    except (TypeError, KeyError, ValueError, StopIteration, AttributeError, OverflowError):
        return ()
    return tuple(
        (token, logprob)
        for token, logprob in found
        if isinstance(token, str) and math.isfinite(logprob)
    )


def _thought(usage: Any, message: Mapping[str, Any]) -> int:
    """Tokens of thinking: as they are told, else about as many as its text has, where that is
    shown in a field of its own."""
    details = usage.get("completion_tokens_details") if isinstance(usage, Mapping) else None
    told = details.get("reasoning_tokens") if isinstance(details, Mapping) else None
    if type(told) is int and told > 0:
        return told
    for name in ("reasoning_content", "reasoning"):
        shown = message.get(name)
        if isinstance(shown, str) and shown:
            return most_likely(shown)
    return 0

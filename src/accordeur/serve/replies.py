"""What clients read: answers in the shapes of the OpenAI wire."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from accordeur.core.model import Usage
from accordeur.models.local.in_flight import Written
from accordeur.models.local.token_bytes import spelling
from accordeur.serve.chat import Choice
from accordeur.serve.served import Served

Json = dict[str, object]
TokenText = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class ChatReply:
    """Everything that all chunks of an answer, or the whole of it, begin with."""

    served: Served
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, choices: Sequence[Choice], logprobs: bool) -> Json:
        """`chat.completion`."""
        return {
            **self._head("chat.completion"),
            "choices": [
                {
                    "index": at,
                    "message": _message(choice),
                    "finish_reason": finish(choice.finished, filtered=choice.filtered),
                    "logprobs": self._logprobs(choice.written) if logprobs else None,
                    **_own(choice),
                }
                for at, choice in enumerate(choices)
            ],
            "usage": usage([choice.usage for choice in choices]),
        }

    def opening(self, at: int) -> Json:
        """The first chunk of a choice: who speaks."""
        return self._chunk(at, {"role": "assistant", "content": ""})

    def piece(self, at: int, text: str, written: Sequence[Written] | None) -> Json:
        """A chunk of text."""
        return self._chunk(at, {"content": text}, written=written)

    def closing(self, at: int, choice: Choice) -> Json:
        """The last chunk of a choice."""
        reason = finish(choice.finished, filtered=choice.filtered)
        return self._chunk(at, {}, reason, own=_own(choice))

    def total(self, choices: Sequence[Choice]) -> Json:
        """The chunk without choices that tells the tokens."""
        head = self._head("chat.completion.chunk")
        return {**head, "choices": [], "usage": usage([choice.usage for choice in choices])}

    def _chunk(
        self,
        at: int,
        delta: Json,
        reason: str | None = None,
        *,
        written: Sequence[Written] | None = None,
        own: Mapping[str, object] | None = None,
    ) -> Json:
        logprobs = None if written is None else self._logprobs(written)
        choice = {"index": at, "delta": delta, "finish_reason": reason, "logprobs": logprobs}
        return {**self._head("chat.completion.chunk"), "choices": [{**choice, **(own or {})}]}

    def _head(self, kind: str) -> Json:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.served.name,
            "system_fingerprint": self.served.fingerprint,
        }

    def _logprobs(self, written: Sequence[Written]) -> Json | None:
        """Of tokens that a local model wrote; labels and called models have none to tell."""
        local = self.served.local
        if local is None or not written:
            return None

        def told(token: int, logprob: float) -> Json:
            data = local.local.chat.token_bytes(token)
            return {"token": spelling(data), "logprob": logprob, "bytes": list(data)}

        return {
            "content": [
                {
                    **told(one.token, one.logprob),
                    "top_logprobs": [told(token, value) for token, value in one.top],
                }
                for one in written
                if not one.ended
            ],
            "refusal": None,
        }


def _message(choice: Choice) -> Json:
    message: Json = {"role": "assistant", "content": choice.text, "refusal": None}
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    return message


def _own(choice: Choice) -> Json:
    return {"accordeur": dict(choice.about)} if choice.about else {}


def finish(finished: bool, *, filtered: bool = False) -> str:
    """Why an answer ends."""
    if filtered:
        return "content_filter"
    return "stop" if finished else "length"


def usage(parts: Sequence[Usage]) -> Json:
    """Tokens of one or several answers to a prompt; the prompt is counted once."""
    prompt = max((one.input_tokens for one in parts), default=0)
    written = sum(one.output_tokens for one in parts)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }


def event(data: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"

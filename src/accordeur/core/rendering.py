"""A request on its way to a model: who asks what, and the segments it is rendered into.

Rendering yields *segments*, each marked static, data or soft, and shared or per row (DESIGN
section 2). The engine tokenises them one by one, so the boundary between an instruction and a row
never moves a token, and text from data can never become a control token of the chat template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from accordeur.core.task import Example, Turn


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a candidate.

    Attributes:
        input: a text, a conversation, or named fields.
        context: text given beside the input.
        documents: names of documents it may be answered from.
        row: id of the training row this request renders, which demonstrations and retrieval must
            then leave out together with its group; `None` for any other request.
        group: that row's group.
    """

    input: str | tuple[Turn, ...] | Mapping[str, str]
    context: str | None = None
    documents: tuple[str, ...] = ()
    row: str | None = None
    group: str | None = None

    @classmethod
    def from_example(cls, example: Example, *, training: bool = False) -> Request:
        """The question of a row, its answer left behind.

        Args:
            example: the row.
            training: true when the row is one the candidate may hold itself (a train row).
        """
        return cls(
            input=example.input,
            context=example.context,
            documents=example.documents,
            row=example.id if training else None,
            group=example.group if training else None,
        )

    @property
    def text(self) -> str:
        """The input as one text, as `Example.text`."""
        return Example(id="", input=self.input, expected=None, group="").text


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a message.

    Attributes:
        text: its characters; empty for soft tokens.
        kind: `static` text written by people for the prompt, `data` text from rows, documents and
            users, `soft` for virtual tokens.
        shared: the same for every request of a candidate.
        soft_tokens: number of virtual tokens of a soft segment.
        soft_first: which of the model's virtual tokens is the first of them.
        trim: may be cut from the left when the prompt does not fit (the row, never the prompt).
    """

    text: str
    kind: Literal["static", "data", "soft"] = "static"
    shared: bool = False
    soft_tokens: int = 0
    soft_first: int = 0
    trim: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message. `demonstration` numbers the pair it belongs to, if any.

    Demonstrations that do not fit the context are dropped whole, lowest number first.
    """

    role: Literal["system", "user", "assistant"]
    segments: tuple[Segment, ...]
    demonstration: int | None = None

    @property
    def text(self) -> str:
        """The message's characters."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A request as messages, before the chat template.

    Attributes:
        messages: in order; the answer follows the last one.
        prefill: text the assistant's turn is started with, normally empty.
    """

    messages: tuple[Message, ...]
    prefill: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    def turns(self, dropped: int = 0) -> tuple[Message, ...]:
        """The messages with the first `dropped` demonstrations left out and neighbours joined.

        Adjacent messages of one role become one, so an instruction that stood before a dropped
        demonstration moves to the user turn that now comes first. Every reader of a rendering
        (engine, endpoint, cache, report) goes through here.
        """
        joined: list[Message] = []
        for message in self.messages:
            if message.demonstration is not None and message.demonstration < dropped:
                continue
            if joined and joined[-1].role == message.role:
                joined[-1] = Message(message.role, joined[-1].segments + message.segments)
            else:
                joined.append(message)
        return tuple(joined)

    def to_json(self) -> list[dict[str, str]]:
        """The turns as an endpoint would receive them."""
        data = [{"role": turn.role, "content": turn.text} for turn in self.turns()]
        if self.prefill:
            data.append({"role": "prefill", "content": self.prefill})
        return data

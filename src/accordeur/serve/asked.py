"""From messages of the wire to what a bundle or a model is asked.

A bundle is asked as it was measured: its instruction and demonstrations first, then the earlier
messages, then the last one as the input; a system message is added to the bundle's own. A model as
it is gets the messages and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.core.task import Turn
from accordeur.serve.errors import refused
from accordeur.serve.wire import ChatBody, ChatMessage

_BETWEEN = "\n\n"
"""Between messages of one role that follow each other: templates know turns that alternate."""


def request_of(body: ChatBody) -> Request:
    """What a bundle is asked.

    Raises:
        ApiError: the last message is not the user's, or fields stand beside a conversation.
    """
    _ends_with_user(body.messages)
    turns: list[Turn] = []
    for message in body.messages:
        role = _role(message)
        if turns and turns[-1].role == role:
            turns[-1] = Turn(role, turns[-1].content + _BETWEEN + message.text)
        else:
            turns.append(Turn(role, message.text))
    if body.fields is not None:
        if len(turns) > 1:
            raise refused("`fields` go with a single user message.", param="fields")
        return Request(dict(body.fields), body.context)
    if len(turns) == 1:
        return Request(turns[0].content, body.context)
    return Request(tuple(turns), body.context)


def rendered(messages: Sequence[ChatMessage], *, answered: bool = False) -> Rendered:
    """What a model as it is reads. Each part of a message is a segment of its own.

    Args:
        messages: of the request.
        answered: the last message is the assistant's answer.

    Raises:
        ApiError: the last message is not whose it should be.
    """
    if not answered:
        _ends_with_user(messages)
    made: list[Message] = []
    for message in messages:
        role = _role(message)
        segments = _segments(message)
        if made and made[-1].role == role:
            made[-1] = Message(role, (*made[-1].segments, Segment(_BETWEEN), *segments))
        else:
            made.append(Message(role, segments))
    return Rendered(tuple(made))


def _segments(message: ChatMessage) -> tuple[Segment, ...]:
    if isinstance(message.content, str):
        return (Segment(message.content, "data"),)
    return tuple(Segment(part.text, "data", shared=part.shared) for part in message.content)


def _role(message: ChatMessage) -> Literal["system", "user", "assistant"]:
    return "system" if message.role == "developer" else message.role


def _ends_with_user(messages: Sequence[ChatMessage]) -> None:
    if messages[-1].role != "user":
        raise refused("The last message must be the user's.", param="messages")

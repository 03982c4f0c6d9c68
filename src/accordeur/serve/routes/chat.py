"""`POST /v1/chat/completions`."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur.serve.chat import Choice, answer
from accordeur.serve.replies import ChatReply, Json
from accordeur.serve.served import Served
from accordeur.serve.state import EventStream, body_of, state_of
from accordeur.serve.wire import ChatBody


async def chat(request: Request) -> Response:
    """Answer a conversation."""
    state = state_of(request)
    body = await body_of(request, ChatBody)
    served = state.catalog.find(body.model)
    if body.stream:
        return EventStream(state, lambda: _events(served, body))
    return JSONResponse(await state.answered(request, lambda: _whole(served, body)))


def _whole(served: Served, body: ChatBody) -> Json:
    begun = [answer(served, body, again) for again in range(body.choices)]
    for _, pieces in begun:
        for _piece in pieces:
            pass
    return ChatReply(served).whole([choice for choice, _ in begun], bool(body.logprobs))


def _events(served: Served, body: ChatBody) -> Iterator[Json]:
    reply = ChatReply(served)
    choices: list[Choice] = []
    for at in range(body.choices):
        choice, pieces = answer(served, body, at)
        choices.append(choice)
        yield from _told(reply, at, choice, pieces, bool(body.logprobs))
    if body.wants_usage:
        yield reply.total(choices)


def _told(
    reply: ChatReply, at: int, choice: Choice, pieces: Iterator[str], logprobs: bool
) -> Iterator[Json]:
    told = 0
    opened = False
    for piece in pieces:
        if not opened:  # the first token is there: what can be refused was refused before
            yield reply.opening(at)
            opened = True
        new = choice.written[told:] if logprobs else None
        told = len(choice.written)
        yield reply.piece(at, piece, new)
    if not opened:
        yield reply.opening(at)
    yield reply.closing(at, choice)

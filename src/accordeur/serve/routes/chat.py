"""`POST /v1/chat/completions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur.serve.chat import Choice, answer
from accordeur.serve.errors import refused
from accordeur.serve.remembering import Conversations
from accordeur.serve.replies import ChatReply, Json
from accordeur.serve.served import Served
from accordeur.serve.state import EventStream, body_of, state_of
from accordeur.serve.wire import ChatBody


async def chat(request: Request) -> Response:
    """Answer a conversation."""
    state = state_of(request)
    body = await body_of(request, ChatBody)
    served = state.catalog.find(body.model)
    owner = request.scope.get("state", {}).get("owner", "")
    begin = partial(_begin, served, body, state.conversations, owner)
    if body.stream:
        return EventStream(state, lambda: _events(ChatReply(served), body, begin))
    return JSONResponse(await state.answered(request, lambda: _whole(served, body, begin)))


Begun = tuple[Choice, Iterator[str]]


def _begin(
    served: Served, body: ChatBody, conversations: Conversations | None, owner: str, again: int
) -> Begun:
    if body.conversation is None:
        return answer(served, body, again)
    if conversations is None:
        raise refused("No conversations are kept here.", param="conversation")
    held = conversations.ask(served, body, owner)
    choice, pieces = answer(served, body, again, held.request)
    choice.about = {"conversation": held.key, "memory": held.remembered.to_json()}
    return choice, held.kept(served, choice, pieces)


def _whole(served: Served, body: ChatBody, begin: Callable[[int], Begun]) -> Json:
    begun = [begin(again) for again in range(body.choices)]
    for _, pieces in begun:
        for _piece in pieces:
            pass
    return ChatReply(served).whole([choice for choice, _ in begun], bool(body.logprobs))


def _events(reply: ChatReply, body: ChatBody, begin: Callable[[int], Begun]) -> Iterator[Json]:
    choices: list[Choice] = []
    for at in range(body.choices):
        choice, pieces = begin(at)
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

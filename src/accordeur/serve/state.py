"""What every route uses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from accordeur.serve.admission import Admission
from accordeur.serve.errors import ApiError, as_api_error, refused
from accordeur.serve.remembering import Conversations
from accordeur.serve.replies import DONE, Json, event
from accordeur.serve.served import Catalog
from accordeur.serve.threads import STALLED, Stalled, Threads
from accordeur.serve.wire import B, read_body

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class State:
    """Of a server.

    Attributes:
        catalog: what answers.
        admission: who is let in.
        threads: where requests are answered.
        conversations: those that are kept, if any are.
    """

    catalog: Catalog
    admission: Admission
    threads: Threads
    conversations: Conversations | None = None

    async def answered(self, request: Request, work: Callable[[], T]) -> T:
        """What `work` gives, in a thread, if the request is let in."""
        async with self.admission.enter():
            return await self.threads.run(request.receive, work)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place among those who are answered."""
        async with self.admission.enter():
            yield


def state_of(request: Request) -> State:
    """Of the server that got this request."""
    found: State = request.app.state.serving
    return found


async def body_of(request: Request, form: type[B]) -> B:
    """The request's JSON.

    Raises:
        ApiError: it is none, or of another form.
    """
    try:
        with anyio.fail_after(STALLED):
            raw = await request.body()
    except TimeoutError:
        raise ApiError(408, f"The request did not come within {STALLED:g} s.") from None
    try:
        data: Any = json.loads(raw)
        if b"\\u" in raw:  # half of a surrogate pair is no text
            json.dumps(data, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise refused("The request's body is no JSON.") from None
    if not isinstance(data, dict):
        raise refused("The request's body is no JSON object.")
    return read_body(form, data)


class EventStream(Response):
    """Server-sent events of what a thread yields.

    What fails before the first event is an ordinary error; later it is the last event.
    """

    def __init__(self, state: State, work: Callable[[], Iterator[Json]]) -> None:
        super().__init__()
        self._state = state
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; see ASGI."""
        begun = False

        async def put(data: bytes) -> None:
            nonlocal begun
            if not begun:
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                begun = True
            await send({"type": "http.response.body", "body": data, "more_body": True})

        async def take(one: Json) -> None:
            await put(event(one))

        try:
            async with self._state.place():
                await self._state.threads.stream(receive, self._work, take)
            await put(DONE)
        except Stalled:
            return  # nothing more goes through; the server closes the connection
        except Exception as error:
            failed = as_api_error(error)
            if not begun:
                await failed.response()(scope, receive, send)
                return
            await put(event(failed.body()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]

Endpoint = Callable[[Request], Awaitable[Response]]

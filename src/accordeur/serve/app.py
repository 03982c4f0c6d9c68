"""The server put together: routes, keys, limits, errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from accordeur.core.errors import AccordeurError
from accordeur.serve.admission import Admission
from accordeur.serve.engine import Engine
from accordeur.serve.errors import ApiError, handle
from accordeur.serve.gate import Gate
from accordeur.serve.keys import Keys
from accordeur.serve.openapi import document
from accordeur.serve.remembering import Conversations
from accordeur.serve.routes.chat import chat
from accordeur.serve.routes.completions import completions
from accordeur.serve.routes.embeddings import embeddings
from accordeur.serve.routes.health import health
from accordeur.serve.routes.models import model, models
from accordeur.serve.routes.tokenize import tokenize
from accordeur.serve.served import Catalog
from accordeur.serve.state import State
from accordeur.serve.threads import Threads
from accordeur.serve.ticket import Gone

MOST = 256
"""Requests at once, those that wait for the engine included."""

BODY_BYTES = 4 * 2**20
"""Of a request at most."""

ROUTES = (
    Route("/health", health),
    Route("/v1/models", models),
    Route("/v1/models/{name:path}", model),
    Route("/v1/chat/completions", chat, methods=["POST"]),
    Route("/v1/completions", completions, methods=["POST"]),
    Route("/v1/embeddings", embeddings, methods=["POST"]),
    Route("/tokenize", tokenize, methods=["POST"]),
    Route("/openapi.json", document),
)


def make_app(
    catalog: Catalog,
    engine: Engine,
    *,
    keys: Keys | None = None,
    hosts: Sequence[str] = (),
    most: int = MOST,
    body_bytes: int = BODY_BYTES,
    conversations: Conversations | None = None,
) -> Starlette:
    """The ASGI application.

    Args:
        catalog: what answers.
        engine: runs local models; it is closed when the server stops.
        keys: that may ask; `None` lets everybody.
        hosts: names that the server may be called by; empty for any. Without keys it should be
            this machine's own alone, or a web page could ask through its visitor's browser.
        most: requests at once; others get 429.
        body_bytes: of a request.
        conversations: keeps those that requests name; `None` keeps none.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await to_thread.run_sync(engine.close)

    app = Starlette(
        routes=list(ROUTES),
        lifespan=lifespan,
        middleware=[Middleware(Gate, keys=keys, hosts=tuple(hosts), body_bytes=body_bytes)],
        exception_handlers={
            ApiError: handle,
            AccordeurError: handle,
            Gone: handle,
            HTTPException: handle,
            Exception: handle,
        },
    )
    app.state.serving = State(catalog, Admission(most), Threads(most), conversations)
    return app

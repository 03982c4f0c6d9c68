"""What a request must bring before any route sees it: a host, a key, a body of bearable size.

A server without keys on this machine can be reached by any web page its user visits. So it answers
to its own names only (DNS rebinding), and a body must say that it is JSON, which no page of another
origin may send unasked.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accordeur.serve.errors import ApiError
from accordeur.serve.keys import Keys

OPEN = frozenset({"/health"})
"""What can be asked without a key."""


class Gate:
    """ASGI middleware.

    Args:
        app: what lies behind.
        keys: that may ask; `None` lets everybody.
        hosts: names that the server may be called by while no key is needed; empty for any.
        body_bytes: of a request at most.
    """

    def __init__(
        self, app: ASGIApp, *, keys: Keys | None, hosts: tuple[str, ...], body_bytes: int
    ) -> None:
        self._app = app
        self._keys = keys
        self._hosts = hosts
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope, Headers(scope=scope))
        except ApiError as error:
            await error.response()(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > self._body_bytes:
                    raise self._too_large()
            return message

        await self._app(scope, counted, send)

    def _check(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        keys = self._keys if self._keys is not None and self._keys.needed else None
        if keys is None and self._hosts and name.lower() not in self._hosts:
            raise ApiError(421, f"This server is not called `{name[:100]}`.")
        if keys is not None and scope["path"] not in OPEN:
            kind, _, key = headers.get("authorization", "").partition(" ")
            owner = keys.owner(key.strip()) if kind.lower() == "bearer" else None
            if owner is None:
                raise ApiError(
                    401,
                    "A key is needed: `Authorization: Bearer KEY`.",
                    code="invalid_api_key",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            scope.setdefault("state", {})["owner"] = owner
        if scope["method"] == "POST":
            if (
                headers.get("content-type", "").partition(";")[0].strip().lower()
                != "application/json"
            ):
                raise ApiError(415, "Send JSON: `Content-Type: application/json`.")
            length = headers.get("content-length", "0")
            if length.isdigit() and int(length) > self._body_bytes:
                raise self._too_large()

    def _too_large(self) -> ApiError:
        return ApiError(413, f"A request may have {self._body_bytes:,} bytes.")

"""Running the server: an address, a banner, and an end that loses nothing.

On the first Ctrl-C or SIGTERM no more requests are taken; those that were begun are finished. A
second one ends at once.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from accordeur.core.errors import UsageError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

CONNECTIONS = 4_096
"""At once, those that are kept open and say nothing included; one more is answered 503."""


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    return host in LOOPBACK


def names_of(host: str) -> tuple[str, ...]:
    """What a server on this machine is called by; empty when it may be anything."""
    return ("127.0.0.1", "localhost", "[::1]") if is_loopback(host) else ()


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound, so that the address is known before anything is loaded.

    Args:
        port: 0 for a free one.

    Raises:
        UsageError: it cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{host}:{port} cannot be listened on: {reason}.",
            hint="--port 0 takes any that is free",
        ) from error
    return bound


def address(bound: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: Starlette, bound: socket.socket, ready: Callable[[], None], log: str) -> None:
    """Answer until a signal comes.

    Args:
        app: the application.
        bound: where.
        ready: called when requests are taken.
        log: level of uvicorn's own log, `warning` or `info`.
    """
    config = uvicorn.Config(
        app,
        log_level=log,
        access_log=log == "info",
        server_header=False,
        lifespan="on",
        limit_concurrency=CONNECTIONS,
    )
    server = _Announcing(config, ready)
    server.run(sockets=[bound])


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._told = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Threads of requests that were begun would keep the process until they are answered.
        # Told first, said then: the second signal may come while the line is being written.
        if self._told:
            os._exit(130)
        self._told = True
        print("finishing what was begun; once more ends at once", file=sys.stderr, flush=True)
        super().handle_exit(sig, frame)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again at the end; being told to stop is no failure.
        with super().capture_signals():
            yield
            self._captured_signals.clear()

"""`GET /health`: whether the server answers, and how busy it is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur._version import __version__
from accordeur.serve.state import state_of


async def health(request: Request) -> Response:
    """200 while it answers."""
    inside = state_of(request).admission.inside
    return JSONResponse({"status": "ok", "version": __version__, "answering": inside})

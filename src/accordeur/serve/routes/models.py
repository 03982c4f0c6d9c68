"""`GET /v1/models` and `GET /v1/models/NAME`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur.serve.replies import Json
from accordeur.serve.served import Catalog, Served
from accordeur.serve.state import state_of

OWNER = "accordeur"
"""Clients of ours know by this name that parts of messages are taken as segments."""


async def models(request: Request) -> Response:
    """All of them."""
    catalog = state_of(request).catalog
    listed = [_served(one) for one in catalog.served.values()]
    listed += [_embedder(name, catalog) for name in catalog.embedders]
    return JSONResponse({"object": "list", "data": listed})


async def model(request: Request) -> Response:
    """One of them."""
    catalog = state_of(request).catalog
    name = request.path_params["name"]
    if name in catalog.embedders:
        return JSONResponse(_embedder(name, catalog))
    return JSONResponse(_served(catalog.find(name)))


def _served(one: Served) -> Json:
    task = one.candidate.task
    about: Json = {
        "kind": "bundle" if one.bundle else "model",
        "base": one.candidate.base,
        "parts": one.candidate.describe(),
    }
    if one.bundle:
        about |= {"task": task.name, "labels": [label.name for label in task.labels]}
    found: Json = {
        "id": one.name,
        "object": "model",
        "created": one.created,
        "owned_by": OWNER,
        "accordeur": about,
    }
    if one.window is not None:
        found["max_model_len"] = one.window
    return found


def _embedder(name: str, catalog: Catalog) -> Json:
    return {
        "id": name,
        "object": "model",
        "created": catalog.began,
        "owned_by": OWNER,
        "accordeur": {"kind": "embedder"},
    }

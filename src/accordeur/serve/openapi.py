"""`GET /openapi.json`: what the server takes, from the forms it reads."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur._version import __version__
from accordeur.serve.replies import Json
from accordeur.serve.wire import ChatBody, CompletionBody, EmbeddingBody, TokenizeBody

_POSTS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("/v1/chat/completions", ChatBody, "Answer a conversation."),
    ("/v1/completions", CompletionBody, "Continue texts, or score them."),
    ("/v1/embeddings", EmbeddingBody, "Vectors of texts."),
    ("/tokenize", TokenizeBody, "Tokens of a text or of messages."),
)

_GETS = (
    ("/health", "Whether the server answers.", ()),
    ("/v1/models", "What answers here.", ()),
    ("/v1/models/{name}", "One of them.", ("name",)),
)

_STATUSES = {
    "400": "The request cannot be answered as it is.",
    "401": "A key is needed.",
    "404": "Nothing of this name.",
    "413": "The request is too large.",
    "415": "The body is not said to be JSON.",
    "421": "The server is not called by this name.",
    "429": "The server is busy; `Retry-After` says for how long.",
    "502": "An endpoint behind a bundle failed.",
    "503": "A model cannot answer.",
}


async def document(_: Request) -> Response:
    """OpenAPI 3.1."""
    return JSONResponse(openapi())


def openapi() -> Json:
    """The document."""
    forms = [(form, "validation") for _, form, _ in _POSTS]
    _, schemas = models_json_schema(forms, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    schemas = dict(schemas["$defs"])
    schemas["Error"] = _ERROR
    paths: dict[str, Json] = {}
    for path, form, words in _POSTS:
        reference = {"$ref": f"#/components/schemas/{form.__name__}"}
        body = {"required": True, "content": {"application/json": {"schema": reference}}}
        paths[path] = {"post": {"summary": words, "requestBody": body, "responses": _answers()}}
    for path, words, names in _GETS:
        parameters = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ]
        paths[path] = {"get": {"summary": words, "parameters": parameters, "responses": _answers()}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Accordeur", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _answers() -> Json:
    failed = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    found: Json = {
        "200": {
            "description": "The answer.",
            "content": {"application/json": {}, "text/event-stream": {}},
        }
    }
    return found | {
        status: {"description": words, "content": failed} for status, words in _STATUSES.items()
    }


_ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}

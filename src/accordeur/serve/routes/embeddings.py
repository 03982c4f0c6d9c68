"""`POST /v1/embeddings`."""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur.core.model import Embedder, FloatArray
from accordeur.serve.errors import refused
from accordeur.serve.replies import Json
from accordeur.serve.state import body_of, state_of
from accordeur.serve.wire import EmbeddingBody


async def embeddings(request: Request) -> Response:
    """Unit vectors of texts."""
    state = state_of(request)
    body = await body_of(request, EmbeddingBody)
    embedder = state.catalog.embedder(body.model)
    if body.dimensions not in (None, embedder.dimension):
        raise refused(
            f"`{body.model}` makes vectors of {embedder.dimension} numbers.", param="dimensions"
        )
    texts = [body.input] if isinstance(body.input, str) else body.input
    if not all(texts):
        raise refused("A text is empty.", param="input")
    vectors, tokens = await state.answered(
        request, lambda: (embedder.embed(texts), _tokens_read(embedder, texts))
    )
    return JSONResponse(
        {
            "object": "list",
            "model": body.model,
            "data": [
                {
                    "object": "embedding",
                    "index": at,
                    "embedding": _encoded(vector, body.encoding_format),
                }
                for at, vector in enumerate(vectors)
            ],
            "usage": _usage(tokens),
        }
    )


def _tokens_read(embedder: Embedder, texts: Sequence[str]) -> int:
    most = embedder.max_tokens or sys.maxsize
    return sum(min(embedder.count_tokens(text), most) for text in texts)


def _encoded(vector: FloatArray, form: str) -> object:
    if form == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector.tolist()


def _usage(tokens: int) -> Json:
    return {"prompt_tokens": tokens, "total_tokens": tokens}

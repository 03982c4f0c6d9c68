"""`POST /v1/completions`."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur.serve.completion import CompletionReply, complete, prompts_of, stream
from accordeur.serve.errors import refused
from accordeur.serve.replies import Json, finish
from accordeur.serve.state import EventStream, body_of, state_of
from accordeur.serve.wire import CompletionBody


async def completions(request: Request) -> Response:
    """Complete raw prompts."""
    state = state_of(request)
    body = await body_of(request, CompletionBody)
    served, model = state.catalog.bare(body.model)
    reply = CompletionReply(served, model, body)

    def whole() -> Json:
        return reply.whole(complete(model, body, prompts_of(body, model)))

    def events() -> Iterator[Json]:
        prompts = prompts_of(body, model)
        if len(prompts) > 1 or body.choices > 1 or body.echo or body.logprobs is not None:
            raise refused(
                "One prompt and one answer can be streamed, without `echo` and `logprobs`.",
                param="stream",
            )
        completed, pieces = stream(model, body, prompts[0])
        for piece in pieces:
            yield reply.piece(piece)
        yield reply.piece("", finish(completed.text.finished))
        if body.wants_usage:
            yield reply.total(completed)

    if body.stream:
        return EventStream(state, events)
    return JSONResponse(await state.answered(request, whole))

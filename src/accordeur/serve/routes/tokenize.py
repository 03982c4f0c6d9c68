"""`POST /tokenize`, as vLLM has it: a model's tokens of a text or of messages."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from accordeur.models.local.fitting import fit
from accordeur.serve.asked import rendered
from accordeur.serve.errors import refused
from accordeur.serve.model import ServedModel
from accordeur.serve.replies import Json
from accordeur.serve.state import body_of, state_of
from accordeur.serve.wire import ChatMessage, TokenizeBody

ENOUGH = 2**60
"""A window that nothing is cut for."""


async def tokenize(request: Request) -> Response:
    """Tokens, their number, and how many first ones other prompts share (`shared`).

    Messages that end with an assistant's and `add_generation_prompt` false are a prompt with its
    answer: the tokens of the answer and the end of turn stand behind those of the prompt.
    """
    state = state_of(request)
    body = await body_of(request, TokenizeBody)
    _, model = state.catalog.bare(body.model)
    return JSONResponse(await state.answered(request, lambda: _tokens(model, body)))


def _tokens(model: ServedModel, body: TokenizeBody) -> Json:
    shared = 0
    if body.prompt is not None:
        tokens = model.local.chat.plain(body.prompt)
    else:
        assert body.messages is not None
        tokens, shared = _templated(model, body.messages, body.add_generation_prompt)
    return {
        "tokens": list(tokens),
        "count": len(tokens),
        "max_model_len": model.context_window,
        "shared": shared,
    }


def _templated(
    model: ServedModel, messages: list[ChatMessage], prompt: bool
) -> tuple[tuple[int, ...], int]:
    answer = None
    if not prompt and messages[-1].role == "assistant":
        *messages, answer = messages
    elif not prompt:
        raise refused(
            "Without `add_generation_prompt` the last message is the assistant's.",
            param="add_generation_prompt",
        )
    if not messages:
        raise refused("There is nothing to answer.", param="messages")
    fitted = fit(model.local.chat, rendered(messages), ENOUGH, 0)
    end = model.local.chat.continuation(answer.text) if answer is not None else ()
    return fitted.tokens + end, len(fitted.prefix)

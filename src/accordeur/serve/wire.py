"""What clients send: the requests of the OpenAI wire, as far as they are understood here.

A field that would change the answer and is not understood is refused by name; what changes nothing
(`user`, `metadata`, `store`) is read over.

Source: https://platform.openai.com/docs/api-reference; `/tokenize` as vLLM has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from accordeur.serve.errors import ApiError, refused

MOST_STOPS = 16
MOST_CHOICES = 16
MOST_PROMPTS = 2_048

Tokens = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, protected_namespaces=())


class Text(_Body):
    """A part of a message. `shared`: other requests begin with it, too, so it is kept computed."""

    type: Literal["text"]
    text: str
    shared: bool = False


class ChatMessage(_Body):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[Text], Field(min_length=1)]

    @property
    def text(self) -> str:
        """Its characters."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class _Sampled(_Body):
    model: str
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    seed: Annotated[int | None, Field(ge=-(2**63), lt=2**63)] = None
    n: Annotated[int | None, Field(ge=1, le=MOST_CHOICES)] = None
    stop: str | Annotated[list[str], Field(max_length=MOST_STOPS)] | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None

    @property
    def choices(self) -> int:
        """Answers wanted."""
        return self.n or 1

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts that end the answer."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(one for one in given if one)

    @property
    def wants_usage(self) -> bool:
        """A stream's last chunk tells the tokens."""
        return bool((self.stream_options or {}).get("include_usage"))

    @model_validator(mode="before")
    @classmethod
    def _understood(cls, data: Any) -> Any:
        for name, harmless in _REFUSED.items():
            if isinstance(data, dict) and data.get(name) not in harmless:
                raise refused(
                    f"`{name}` is not supported here; leave it out.",
                    param=name,
                    code="unsupported_parameter",
                )
        return data


_REFUSED: dict[str, Sequence[Any]] = {
    "tools": (None, []),
    "functions": (None, []),
    "tool_choice": (None, "none", "auto"),
    "response_format": (None, {"type": "text"}),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "suffix": (None, ""),
    "modalities": (None, ["text"]),
    "audio": (None,),
    "best_of": (None, 1),
}
"""What would change the answer, and the values that do not."""


class ChatBody(_Sampled):
    """`POST /v1/chat/completions`.

    Beside OpenAI's fields: `context`, text given beside the input, and `fields`, named texts for a
    bundle whose template has them, in the place of the last message's text; `conversation`, the id
    of one that the server keeps.
    """

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    context: str | None = None
    fields: dict[str, str] | None = None
    conversation: Annotated[str | None, Field(pattern=r"^[\w.:-]{1,128}$")] = None

    @property
    def limit(self) -> int | None:
        """Tokens of the answer at most."""
        return self.max_completion_tokens or self.max_tokens


class CompletionBody(_Sampled):
    """`POST /v1/completions`.

    `shared_tokens` is ours: so many first tokens are those of other calls, too; they are kept
    computed and get no log-probabilities.
    """

    prompt: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=MOST_PROMPTS)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1, max_length=MOST_PROMPTS)]
    )
    max_tokens: Annotated[int | None, Field(ge=0)] = None
    logprobs: Annotated[int | None, Field(ge=0, le=20)] = None
    echo: bool | None = None
    shared_tokens: Annotated[int, Field(ge=0)] = 0


class EmbeddingBody(_Body):
    """`POST /v1/embeddings`."""

    model: str
    input: str | Annotated[list[str], Field(min_length=1, max_length=MOST_PROMPTS)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class TokenizeBody(_Body):
    """`POST /tokenize`: messages through the chat template, or a text as it is."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)] | None = None
    prompt: str | None = None
    add_generation_prompt: bool = True
    add_special_tokens: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> TokenizeBody:
        if (self.messages is None) == (self.prompt is None):
            raise ValueError("give `messages` or `prompt`")
        return self


B = TypeVar("B", bound=_Body)


def read_body(form: type[B], data: Any) -> B:
    """A request's JSON as its form.

    Raises:
        ApiError: it has another form.
    """
    try:
        return form.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        named = f"`{place}`: " if place else ""
        raise refused(f"{named}{first['msg']}.", param=place or None) from None
    except ApiError:
        raise

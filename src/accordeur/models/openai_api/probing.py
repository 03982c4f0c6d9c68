"""Asks an endpoint what it can do: a handful of short calls.

What it answers with an error it does not offer; an endpoint that is gone, busy or broken tells
nothing either way, and the question stays open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from accordeur.models.openai_api.abilities import Abilities
from accordeur.models.openai_api.choosing import FORMATS, MOST_TOP, held_to, is_held
from accordeur.models.openai_api.client import Client
from accordeur.models.openai_api.failures import FINAL, PASSING, Failure, Kind
from accordeur.models.openai_api.scoring import answered, asked_by, behind_prompt
from accordeur.models.openai_api.token_wire import Tokens, conversation_body, echo_body
from accordeur.models.openai_api.vendors import Endpoint
from accordeur.models.openai_api.wire import Reply, Turns

OWNER = "accordeur"
"""Of models that our own server lists."""

_WINDOWS = ("context_window", "context_length", "max_model_len", "max_context_length")

_OPEN = (PASSING | FINAL) - {Kind.MODEL, Kind.SERVER, Kind.NOT_JSON, Kind.MALFORMED}
"""Failures that say nothing of what an endpoint offers. A path that is unknown is answered with
404, by some with 500 or a web page."""


class Probe:
    """The questions.

    Args:
        client: makes the calls.
        endpoint: where.
        name: of the model.
        keep: told what is known after every answer.
    """

    def __init__(
        self,
        client: Client,
        endpoint: Endpoint,
        name: str,
        keep: Callable[[Abilities], None],
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._name = name
        self._keep = keep

    async def ask(self, known: Abilities) -> Abilities:
        """What is known, with answers to everything that was not.

        Raises:
            Failure: the endpoint answers nothing now.
        """
        questions: Mapping[str, Callable[[Abilities], Awaitable[Mapping[str, Any]]]] = {
            "own": self._listed,
            "window": self._listed,
            "turn_end": self._turn_end,
            "echo": self._echo,
            "top": self._top,
            "schema": self._schema,
            "system": self._system,
            "tools": self._tools,
        }
        for name in known.unknown:
            if getattr(known, name) is None:
                known = replace(known, **await questions[name](known))
                self._keep(known)
        return known

    async def window(self) -> int:
        """Tokens of its context, as the list of models tells them; 0 where it does not.

        Raises:
            Failure: the endpoint answers nothing now.
        """
        return int((await self._listed(Abilities()))["window"])

    async def _listed(self, known: Abilities) -> Mapping[str, Any]:
        listed = await _offered(self._client.models(), [])
        mine: Mapping[str, Any] = next((one for one in listed if one["id"] == self._name), {})
        told = next((mine[name] for name in _WINDOWS if name in mine), None)
        window = told if type(told) is int and told > 0 else 0
        return {"own": mine.get("owned_by") == OWNER, "window": window}

    async def _turn_end(self, known: Abilities) -> Mapping[str, Any]:
        """What the template puts behind an answer: the common end of two that share nothing."""
        if self._endpoint.hosted:  # vendors have no `/tokenize`; their web pages answer at the root
            return {"turn_end": ()}
        return {"turn_end": await _offered(self._template_end(bool(known.own)), ())}

    async def _template_end(self, parts: bool) -> Tokens:
        asked = asked_by(parts)
        before = await self._client.tokens(conversation_body(self._name, asked))
        ends = []
        for answer in ("A", "7"):
            whole = await answered(self._client, self._name, asked, answer, parts=parts)
            ends.append(behind_prompt(before, whole))
        return _common_end(*ends)

    async def _echo(self, known: Abilities) -> Mapping[str, Any]:
        if not known.turn_end:
            return {"echo": -1}
        turns = asked_by(bool(known.own))
        tokens = await self._client.tokens(conversation_body(self._name, turns))
        for new_tokens in (0, 1):
            body = echo_body(self._name, [tokens, tokens + known.turn_end[:1]], new_tokens)
            if await _offered(self._client.echo(body), None) is not None:
                return {"echo": new_tokens}
        return {"echo": -1}

    async def _top(self, known: Abilities) -> Mapping[str, Any]:
        if "logprobs" in self._client.without:
            return {"top": 0}
        for most in (MOST_TOP, 5):
            reply = await self._chat(_say("Say yes."), logprobs=True, top_logprobs=most)
            if reply is not None:
                return {"top": len(reply.first)}
        return {"top": 0}

    async def _schema(self, known: Abilities) -> Mapping[str, Any]:
        """An answer that nobody would give of himself shows that it was held to it."""
        for how in FORMATS:
            reply = await self._chat(_say("Say hello."), 400, **held_to(_ODD, how))
            if reply is not None and is_held(reply, _ODD, how):
                return {"schema": how}
        return {"schema": ""}

    async def _system(self, known: Abilities) -> Mapping[str, Any]:
        turns: Turns = [{"role": "system", "content": "You are terse."}, *_say("Say yes.")]
        return {"system": await self._chat(turns) is not None}

    async def _tools(self, known: Abilities) -> Mapping[str, Any]:
        function = {"name": "now", "description": "The time.", "parameters": {"type": "object"}}
        tools = [{"type": "function", "function": function}]
        return {"tools": await self._chat(_say("Say yes."), tools=tools) is not None}

    async def _chat(self, turns: Turns, most: int = 8, **fields: Any) -> Reply | None:
        """The answer; `None` where the endpoint refuses what is asked."""
        body = {"model": self._name, "messages": turns, "max_tokens": most, "temperature": 0.0}
        found: Reply | None = await _offered(self._client.chat({**body, **fields}), None)
        return found


_ODD = ("qz17", "qz42")


def _say(text: str) -> Turns:
    return [{"role": "user", "content": text}]


async def _offered(work: Awaitable[Any], otherwise: Any) -> Any:
    """What comes of a question, or of its refusal.

    Raises:
        Failure: it was neither answered nor refused.
    """
    try:
        return await work
    except Failure as failure:
        if failure.kind in _OPEN:
            raise
        return otherwise


def _common_end(first: Tokens, second: Tokens) -> Tokens:
    length = 0
    # Something of each answer must be left.
    while length + 1 < min(len(first), len(second)) and first[-1 - length] == second[-1 - length]:
        length += 1
    return first[len(first) - length :]

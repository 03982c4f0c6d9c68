"""An OpenAI-compatible endpoint on loopback that answers and misbehaves as it is told.

    with ScriptedEndpoint(lambda messages: "yes", faults={"429": 0.02, "reset": 0.02}) as server:
        model = Models(base_url=server.base_url).model("openai/scripted")

It speaks HTTP/1.1 over asyncio by hand, because half an answer, a reset connection and a body that
drips byte by byte are what frameworks keep from happening.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accordeur.testing.endpoint_tokens import (
    Messages,
    Score,
    conversation,
    echo,
    spelled,
    text,
)

__all__ = ["FAULTS", "OWN", "Messages", "ScriptedEndpoint", "Seen", "plain_messages"]

FAULTS = (
    "429",
    "500",
    "slow",
    "cut",
    "wrong json",
    "html",
    "reset",
    "no choices",
    "filter",
    "401",
    "402",
    "404",
    "hang",
)
"""What can go wrong; `slow` and `hang` answer late or never."""

OWN: Sequence[Mapping[str, Any]] = (
    {"id": "scripted", "owned_by": "accordeur", "max_model_len": 4096},
)
"""What our own server lists."""


@dataclass
class Seen:
    """What a server saw.

    Attributes:
        calls: requests for an answer.
        faults: how often each was committed.
        answered: text of the last message -> how often it was answered in full.
        bodies: of the requests, as they came.
        paths: how often each was asked for.
        keys: the Authorization headers.
        most_at_once: requests in flight together.
    """

    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    most_at_once: int = 0


class ScriptedEndpoint:
    """A server for the length of a `with` block.

    Args:
        answer: what a model would say to these messages.
        faults: shares of calls that go wrong, by name.
        delay: seconds an answer takes.
        pause: seconds between the pieces of a stream.
        capacity: calls in flight over which it answers 429, as a rate limit; 0 for no limit.
        retry_after: seconds it asks for then.
        refuses: fields it answers 400 to.
        usage: tell tokens.
        models: what it lists; `OWN` makes it one of ours.
        score: what a model would give an answer; with it the endpoint has `/tokenize`, and
            `/completions` with `echo`.
        top: the most probable first tokens of an answer, with their log-probabilities.
        formats: fields by which it is held to choices, of `response_format`, `structured_outputs`,
            `guided_choice`; others are ignored.
        least_tokens: of a completion; 1 as some servers want it.
        window: tokens of prompt and answer over which it answers 400; a token is a byte, and every
            message takes three more. 0 for no limit.
        says_window: it tells the numbers then.
        fingerprint: of the system that answers.
        thinks: words it thinks unseen before every answer; they count.
        resolved: name of the model that answers; the name asked for by default.
        embed: a vector of each text; with it the endpoint has `/embeddings`.
        rerank: how well each text answers a question; with it the endpoint has `/rerank`.
        seed: of the faults.

    Attributes:
        trims: its chat template trims what messages say.
    """

    def __init__(
        self,
        answer: Callable[[Messages], str] = lambda messages: "I see.",
        *,
        faults: Mapping[str, float] | None = None,
        delay: float = 0.0,
        pause: float = 0.0,
        capacity: int = 0,
        retry_after: float = 0.05,
        refuses: Sequence[str] = (),
        usage: bool = True,
        models: Sequence[Mapping[str, Any]] = ({"id": "scripted", "max_model_len": 4096},),
        score: Score | None = None,
        top: Callable[[Messages], Mapping[str, float]] | None = None,
        formats: Sequence[str] = (),
        least_tokens: int = 0,
        window: int = 0,
        says_window: bool = True,
        fingerprint: str = "",
        thinks: int = 0,
        resolved: str = "",
        embed: Callable[[Sequence[str]], Sequence[Sequence[float]]] | None = None,
        rerank: Callable[[str, Sequence[str]], Sequence[float]] | None = None,
        seed: int = 0,
    ) -> None:
        unknown = set(faults or {}) - set(FAULTS)
        if unknown:
            raise ValueError(f"no such fault: {sorted(unknown)}")
        self.answer = answer
        self.faults = dict(faults or {})
        self._delay = delay
        self._pause = pause
        self._capacity = capacity
        self._retry_after = retry_after
        self._refuses = tuple(refuses)
        self._usage = usage
        self.resolved = resolved
        self.score = score
        self.embed = embed
        self.rerank = rerank
        self.trims = False
        self._window = window
        self._says_window = says_window
        self.fingerprint = fingerprint
        self._thinks = thinks
        self._top = top
        self._formats = tuple(formats)
        self._least_tokens = least_tokens
        self._models = [dict(one) for one in models]
        self._draws = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._in_flight = 0
        self.seen = Seen()
        self.port = 0

    @property
    def base_url(self) -> str:
        """What `--base-url` takes."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ScriptedEndpoint:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._talk, "127.0.0.1", self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if not await self._respond(head[0].split()[1], headers, body, writer):
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _respond(
        self, path: str, headers: Mapping[str, str], body: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer a request; whether the connection stays open."""
        self.seen.keys.add(headers.get("authorization", ""))
        self.seen.paths[path] += 1
        if path.endswith("/models"):
            return await self._send(writer, 200, {"object": "list", "data": self._models})
        if path != "/v1/chat/completions" and not self._offers(path):
            return await self._send(writer, 404, {"detail": "Not Found"})
        asked = json.loads(body)
        self.seen.calls += 1
        self.seen.bodies.append(asked)
        self._in_flight += 1
        self.seen.most_at_once = max(self.seen.most_at_once, self._in_flight)
        try:
            return await self._misbehave(path, asked, writer)
        finally:
            self._in_flight -= 1

    def _offers(self, path: str) -> bool:
        """Whether it has what not every endpoint has."""
        if path in ("/tokenize", "/v1/completions"):
            return self.score is not None
        if path == "/v1/embeddings":
            return self.embed is not None
        return path == "/v1/rerank" and self.rerank is not None

    async def _misbehave(
        self, path: str, asked: dict[str, Any], writer: asyncio.StreamWriter
    ) -> bool:
        refused = next((name for name in self._refuses if name in asked), None)
        if refused is not None:
            message = f"Unsupported parameter: '{refused}' is not supported with this model."
            return await self._send(writer, 400, {"error": {"message": message}})
        if self._window and path == "/v1/chat/completions":
            wanted = len(conversation(plain_messages(asked), answered=False))
            limit = asked.get("max_tokens") or asked.get("max_completion_tokens") or 0
            if wanted + limit > self._window:
                return await self._send(writer, 400, self._too_long(wanted, limit))
        if self._capacity and self._in_flight > self._capacity:
            self.seen.faults["429"] += 1
            return await self._rate_limit(writer)
        drawn = self._draws.random()
        fault = ""
        for name, share in self.faults.items():
            if 0 <= drawn < share:
                fault = name
            drawn -= share
        if fault:
            self.seen.faults[fault] += 1
        if fault in ("429", "500", "401", "402", "404"):
            if fault == "429":
                return await self._rate_limit(writer)
            told = {"error": {"message": f"told to fail with {fault}", "code": None}}
            return await self._send(writer, int(fault), told)
        if fault == "reset":
            self._reset(writer)
            return False
        if fault == "hang":
            await asyncio.sleep(3600)
        await asyncio.sleep(self._delay)
        if asked.get("stream"):
            return await self._stream(asked, writer, fault)
        if path == "/tokenize":
            data, answered = self._tokens(asked), "tokens"
        elif path == "/v1/completions":
            if asked["max_tokens"] < self._least_tokens:
                told = {"error": {"message": "max_tokens must be at least 1"}}
                return await self._send(writer, 400, told)
            data, answered = self._echo(asked), spelled(asked["prompt"][0])
        elif path == "/v1/embeddings":
            data, answered = self._embeddings(asked), "embeddings"
        elif path == "/v1/rerank":
            data, answered = self._relevance(asked), "rerank"
        else:
            data, answered = self._chat(asked, fault), plain_messages(asked)[-1]["content"]
        return await self._whole(data, answered, writer, fault)

    def _too_long(self, wanted: int, limit: int) -> dict[str, Any]:
        message = "the request exceeds the available context size"
        if self._says_window:
            message = (
                f"This model's maximum context length is {self._window} tokens. However, you "
                f"requested {wanted + limit} tokens ({wanted} in the messages, {limit} in the "
                "completion)."
            )
        return {"error": {"message": message, "code": "context_length_exceeded"}}

    def _tokens(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "prompt" in asked:
            tokens = text(asked["prompt"])
        else:
            messages = plain_messages(asked)
            if self.trims:
                messages = [{**one, "content": one["content"].strip()} for one in messages]
            tokens = conversation(
                messages,
                answered=not asked["add_generation_prompt"],
                newline=not self._own,
            )
        return {"tokens": tokens, "count": len(tokens), "max_model_len": 4096}

    def _echo(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self.score is not None
        data: dict[str, Any] = {
            "object": "text_completion",
            "model": self.resolved or asked["model"],
            "system_fingerprint": self.fingerprint or None,
            "choices": echo(asked, self.score),
        }
        if self._usage:
            read = sum(map(len, asked["prompt"]))
            written = asked["max_tokens"] * len(asked["prompt"])
            data["usage"] = _usage(read, written)
        return data

    def _embeddings(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Vectors, the last first: their order is not promised, their `index` is."""
        assert self.embed is not None
        vectors = [[float(x) for x in vector] for vector in self.embed(asked["input"])]
        data = [
            {"object": "embedding", "index": at, "embedding": vector}
            for at, vector in enumerate(vectors)
        ]
        told: dict[str, Any] = {"object": "list", "model": asked["model"], "data": data[::-1]}
        if self._usage:
            told["usage"] = {"prompt_tokens": sum(len(one.split()) for one in asked["input"])}
        return told

    def _relevance(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Results as vLLM gives them: the best first, each with the text it is of."""
        assert self.rerank is not None
        documents = asked["documents"]
        scores = [float(one) for one in self.rerank(asked["query"], documents)]
        order = sorted(range(len(scores)), key=lambda at: -scores[at])
        results = [
            {"index": at, "relevance_score": scores[at], "document": {"text": documents[at]}}
            for at in order
        ]
        return {"id": "scripted", "model": asked["model"], "results": results}

    @property
    def _own(self) -> bool:
        return any(one.get("owned_by") == "accordeur" for one in self._models)

    def _chat(self, asked: dict[str, Any], fault: str) -> dict[str, Any]:
        messages = plain_messages(asked)
        said = self._held(self.answer(messages), asked)
        words = said.split()
        limit = asked.get("max_tokens") or asked.get("max_completion_tokens") or len(words)
        thought = min(self._thinks, limit)
        limit -= thought
        cut = len(words) > limit
        shown = " ".join(words[:limit]) if cut else said
        end = "content_filter" if fault == "filter" else "length" if cut else "stop"
        data: dict[str, Any] = {
            "id": "scripted",
            "object": "chat.completion",
            "model": self.resolved or asked["model"],
            "system_fingerprint": self.fingerprint or None,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": shown},
                    "finish_reason": end,
                }
            ],
        }
        if self._top is not None and asked.get("logprobs"):
            data["choices"][0]["logprobs"] = self._told_top(messages, said, asked)
        if self._usage:
            read = sum(len(one["content"].split()) for one in messages)
            wrote = thought + min(len(words), limit)
            data["usage"] = _usage(read, wrote)
            if thought:
                data["usage"]["completion_tokens_details"] = {"reasoning_tokens": thought}
        return data

    def _held(self, said: str, asked: Mapping[str, Any]) -> str:
        """The answer, held to choices where it is asked for and done: to the first, if need be."""
        name = next((name for name in self._formats if name in asked), "")
        if not name:
            return said
        choices = choices_of(asked[name])
        said = said if said in choices else choices[0]
        return json.dumps({"answer": said}) if name == "response_format" else said

    def _told_top(self, messages: Messages, said: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert self._top is not None
        ranked = sorted(self._top(messages).items(), key=lambda one: -one[1])
        told = [{"token": token, "logprob": logprob} for token, logprob in ranked]
        first = {"token": said[:1], "logprob": -0.5}
        if asked.get("top_logprobs"):
            first["top_logprobs"] = told[: asked["top_logprobs"]]
        return {"content": [first]}

    async def _whole(
        self, data: dict[str, Any], answered: str, writer: asyncio.StreamWriter, fault: str
    ) -> bool:
        if fault == "no choices":
            data = {"choices": []}
        whole = json.dumps(data).encode()
        if fault == "wrong json":
            whole = whole[: len(whole) // 2]
        if fault == "html":
            return await self._raw(writer, 200, b"<html><title>Bad gateway</title></html>", "html")
        if fault == "cut":
            writer.write(_head(200, len(whole), "json") + whole[: len(whole) // 2])
            await writer.drain()
            return False
        if fault == "slow":
            writer.write(_head(200, len(whole), "json"))
            for at in range(0, len(whole), 40):
                writer.write(whole[at : at + 40])
                await writer.drain()
                await asyncio.sleep(0.01)
        else:
            await self._raw(writer, 200, whole, "json")
        if not fault or fault == "slow":
            self.seen.answered[answered] += 1
        return True

    async def _stream(
        self, asked: dict[str, Any], writer: asyncio.StreamWriter, fault: str
    ) -> bool:
        whole = self._chat(asked, fault)
        choice = whole["choices"][0]
        words = choice["message"]["content"].split(" ")
        pieces = [word if at == 0 else f" {word}" for at, word in enumerate(words)]
        events: list[Any] = [{"choices": [{"delta": {"content": one}}]} for one in pieces]
        if fault == "cut":
            events = events[: max(1, len(events) // 2)]
        else:
            events.append({"choices": [{"delta": {}, "finish_reason": choice["finish_reason"]}]})
            if "usage" in whole and (asked.get("stream_options") or {}).get("include_usage"):
                events.append({"choices": [], "usage": whole["usage"]})
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        )
        for event in events:
            writer.write(b"data: " + json.dumps(event).encode() + b"\n\n")
            await writer.drain()
            await asyncio.sleep(0.01 if fault == "slow" else self._pause)
        if fault != "cut":
            writer.write(b"data: [DONE]\n\n")
            await writer.drain()
        return False

    async def _rate_limit(self, writer: asyncio.StreamWriter) -> bool:
        told = json.dumps({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})
        head = _head(429, len(told), "json", f"Retry-After: {self._retry_after}\r\n")
        writer.write(head + told.encode())
        await writer.drain()
        return True

    async def _send(self, writer: asyncio.StreamWriter, status: int, data: Any) -> bool:
        return await self._raw(writer, status, json.dumps(data).encode(), "json")

    async def _raw(self, writer: asyncio.StreamWriter, status: int, body: bytes, kind: str) -> bool:
        writer.write(_head(status, len(body), kind) + body)
        await writer.drain()
        return True

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        """Close with RST in the place of FIN."""
        connection = writer.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()


def plain_messages(asked: Mapping[str, Any]) -> list[dict[str, str]]:
    """The messages of a request, their parts put together."""
    return [{"role": one["role"], "content": _joined(one["content"])} for one in asked["messages"]]


def choices_of(told: Any) -> list[str]:
    """The choices that a request holds its answer to, in any of the formats."""
    if isinstance(told, list):
        return [str(one) for one in told]
    if "choice" in told:
        return [str(one) for one in told["choice"]]
    properties = told["json_schema"]["schema"]["properties"]
    return [str(one) for one in properties["answer"]["enum"]]


def _usage(read: int, written: int) -> dict[str, Any]:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


def _joined(content: str | list[dict[str, str]]) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)


def _head(status: int, length: int, kind: str, more: str = "") -> bytes:
    media = {"json": "application/json", "html": "text/html"}[kind]
    return (
        f"HTTP/1.1 {status} Told\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n{more}\r\n"
    ).encode()

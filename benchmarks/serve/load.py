"""Many clients of a server on this machine: errors, crossed answers, throughput, waiting.

    python -m benchmarks.serve.load [--clients 64] [--seconds 60] [--tokens 32]

Twice: with a model that must say a code word of its prompt again, so that an answer given to the
wrong client is seen, and with SmolLM2-135M, whose answers say nothing but cost what answers cost.
Server and clients are processes of their own on the same two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import httpx

from accordeur.testing.tiny_echo import echoing_model


@dataclass
class Load:
    """What clients saw.

    Attributes:
        seconds: from the first request to the last answer. Batches of 64 end together, so a clock
            that stopped at a given moment would count one batch more or less.
        took: of each answer.
        tokens: written.
        errors: answers that did not come.
        crossed: answers to somebody else's prompt.
    """

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    tokens: int = 0
    errors: int = 0
    crossed: int = 0

    def to_json(self) -> dict[str, float | int]:
        """Rates and waiting times, seconds."""
        parts = quantiles(self.took, n=100) if len(self.took) > 1 else [0.0] * 99
        return {
            "answers": len(self.took),
            "errors": self.errors,
            "crossed": self.crossed,
            "answers_per_second": round(len(self.took) / self.seconds, 2),
            "tokens_per_second": round(self.tokens / self.seconds, 1),
            "p50": round(median(self.took), 3) if self.took else 0.0,
            "p99": round(parts[98], 3),
        }


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """The URL of a server of its own."""
    command = [sys.executable, "-m", "accordeur.cli", "serve", *arguments, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = re.match(r"serving at (\S+)/v1", process.stdout.readline())
        assert found
        yield found[1]
    finally:
        process.terminate()
        process.wait(60)


async def drive(url: str, clients: int, seconds: float, tokens: int, words: Sequence[str]) -> Load:
    """Clients that ask again as soon as they are answered, until the time is over."""
    load = Load()
    numbers = itertools.count()
    start = time.monotonic()
    end = start + seconds
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)

    async def client(http: httpx.AsyncClient) -> None:
        while time.monotonic() < end:
            at = next(numbers)
            word = words[at % len(words)] if words else ""
            text = f"say {word} #{at}" if word else f"Tell story number {at}."
            body = {
                "model": "served",
                "max_tokens": tokens,
                "messages": [{"role": "user", "content": text}],
            }
            began = time.monotonic()
            try:
                answer = await http.post("/v1/chat/completions", json=body)
                found = answer.json()
                said = found["choices"][0]["message"]["content"]
                written = found["usage"]["completion_tokens"]
            except (httpx.HTTPError, KeyError, ValueError):
                load.errors += 1
                continue
            load.took.append(time.monotonic() - began)
            load.tokens += written
            load.crossed += bool(word) and set(said.split()) != {word}

    async with httpx.AsyncClient(base_url=url, timeout=600, limits=limits) as http:
        await http.get("/health")
        await asyncio.gather(*(client(http) for _ in range(clients)))
    load.seconds = time.monotonic() - start
    return load


def measure(
    served: str, words: Sequence[str], clients: int, seconds: float, tokens: int
) -> dict[str, object]:
    """One client, then many."""
    found: dict[str, object] = {}
    with serving(f"served={served}") as url:
        asyncio.run(drive(url, 1, min(2.0, seconds), tokens, words))  # the first prompt is cold
        for count, length in ((1, seconds / 3), (clients, seconds)):
            made = asyncio.run(drive(url, count, length, tokens, words))
            found[f"{count} clients"] = made.to_json()
    return found


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tokens", type=int, default=32)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, words = echoing_model(Path(name) / "echo")
        settings = (asked.clients, asked.seconds, asked.tokens)
        found = {
            "code words": measure(str(folder), words, *settings),
            "local/smollm2": measure("local/smollm2", (), *settings),
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

"""Drive thousands of calls to an endpoint on loopback, beside a bare httpx loop.

    python -m benchmarks.endpoint.drive [--calls 5000] [--delay 0.05] [--at-once 64] [--rounds 3]

The server answers after a fixed delay, in a process of its own. Bare is what one would write by
hand: one `httpx.AsyncClient`, a semaphore, `gather`, the JSON read; no retries, no deadline,
nothing kept. Both ask the same prompts in turn; every answer is checked to be that of its prompt.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Segment
from accordeur.models.openai_api.model import EndpointModel
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.testing.endpoint import Messages, ScriptedEndpoint

SAMPLING = Sampling(max_tokens=16)


def mirrored(messages: Messages) -> str:
    """The last word of the prompt."""
    return messages[-1]["content"].split()[-1]


def serve(delay: float) -> None:
    """A server until stdin is closed; says its address first."""
    with ScriptedEndpoint(mirrored, delay=delay) as server:
        print(server.base_url, flush=True)
        sys.stdin.read()


def prompt(number: int) -> str:
    """A prompt of some forty words that ends with its number."""
    return f"{'Which team should handle this message of a customer? ' * 4}row{number}"


def bare(base_url: str, calls: int, at_once: int) -> list[str]:
    """The loop one would write by hand.

    With httpx's own limits of connections: as many kept alive as there are calls at once would make
    it four times slower, see `accordeur.models.openai_api.connections`.
    """

    async def go() -> list[str]:
        slots = asyncio.Semaphore(at_once)
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:

            async def one(number: int) -> str:
                body = {
                    "model": "scripted",
                    "messages": [{"role": "user", "content": prompt(number)}],
                    "max_tokens": SAMPLING.max_tokens,
                    "temperature": 0.0,
                }
                async with slots:
                    response = await client.post(f"{base_url}/chat/completions", json=body)
                return str(response.json()["choices"][0]["message"]["content"])

            return await asyncio.gather(*(one(number) for number in range(calls)))

    return asyncio.run(go())


def ours(model: EndpointModel, calls: int) -> list[str]:
    """The same through the interface that runs use."""
    prompts = [
        Rendered((Message("user", (Segment(prompt(number), "data"),)),)) for number in range(calls)
    ]
    said = [""] * calls
    for batch in model.generate(prompts, SAMPLING):
        for index, result in zip(batch.indices, batch.results, strict=True):
            assert not result.error, result.error
            said[index] = result.text
    return said


def ours_once(base_url: str, calls: int, at_once: int) -> list[str]:
    """`ours` with a model of its own, as a command would make it."""
    place = endpoint(VENDORS["openai"], base_url, {})
    return ours(EndpointModel(place, "scripted", most=at_once), calls)


@contextmanager
def scripted(delay: float) -> Iterator[str]:
    """The base URL of a server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.endpoint.drive", "--serve", "--delay", str(delay)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.communicate()


def timed(work: Callable[[], list[str]], calls: int) -> tuple[float, float]:
    """Wall and processor seconds; every answer is that of its prompt."""
    wall, own = time.perf_counter(), time.process_time()
    said = work()
    spent = time.perf_counter() - wall, time.process_time() - own
    assert said == [f"row{number}" for number in range(calls)], "an answer was lost or crossed"
    return spent


def main() -> None:
    """Measure both in turn and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.delay)
        return
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "ours": []}
    with scripted(asked.delay) as base_url:
        model = EndpointModel(
            endpoint(VENDORS["openai"], base_url, {}), "scripted", most=asked.at_once
        )
        for _ in range(asked.rounds):
            found["bare"].append(
                timed(lambda: bare(base_url, asked.calls, asked.at_once), asked.calls)
            )
            found["ours"].append(timed(lambda: ours(model, asked.calls), asked.calls))
    ideal = asked.calls * asked.delay / asked.at_once
    told: dict[str, object] = {"calls": asked.calls, "delay": asked.delay, "ideal": ideal}
    for name, rounds in found.items():
        wall = statistics.median(one[0] for one in rounds)
        own = statistics.median(one[1] for one in rounds)
        told[name] = {"seconds": wall, "processor": own, "calls_per_second": asked.calls / wall}
        print(
            f"{name}: {wall:.2f} s ({asked.calls / wall:.0f} calls/s), {own:.2f} s of processor; "
            f"the delay alone is {ideal:.2f} s"
        )
    ratio = statistics.median(
        mine[0] / theirs[0] for mine, theirs in zip(found["ours"], found["bare"], strict=True)
    )
    told["ours_over_bare"] = ratio
    print(f"ours takes {ratio:.3f} of bare's time (median of {asked.rounds} pairs)")
    if asked.out is not None:
        asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Many clients at once: nobody gets another's answer, and none is lost."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from accordeur.testing.tiny_echo import echoing_model

from .conftest import World, world

CLIENTS = 24


def ask(place: World, word: str, seed: int) -> str:
    """The answer to a question that holds a word; one in four is streamed, one in four left."""
    draw = random.Random(seed)
    text = f"{'please ' * draw.randrange(9)}say {word} to me{'!' * draw.randrange(3)}"
    limit = draw.randrange(2, 40)
    body = {
        "model": "tiny",
        "max_tokens": limit,
        "messages": [{"role": "user", "content": text}],
    }
    with place.http as client:
        if seed % 4 == 1:
            with client.stream("POST", "/v1/chat/completions", json=body | {"stream": True}) as got:
                next(got.iter_bytes())
            return f" {word}" * 2
        if seed % 4 == 2:
            made = place.client.chat.completions.create(
                model="tiny",
                max_tokens=limit,
                messages=body["messages"],
                stream=True,  # type: ignore[call-overload]
            )
            return "".join(one.choices[0].delta.content or "" for one in made)
        answer = client.post("/v1/chat/completions", json=body).json()
        assert answer["usage"]["completion_tokens"] == limit
        return str(answer["choices"][0]["message"]["content"])


def test_nobody_gets_the_answer_of_another(tmp_path: Path) -> None:
    folder, words = echoing_model(tmp_path / "echo")
    asked = [(words[seed % len(words)], seed) for seed in range(240)]
    with world({}, folder) as place, ThreadPoolExecutor(CLIENTS) as clients:
        found = list(clients.map(lambda one: ask(place, *one), asked))
        for (word, seed), text in zip(asked, found, strict=True):
            assert set(text.split()) == {word}, (seed, text)
        assert httpx.get(f"{place.url}/health").json()["answering"] == 0

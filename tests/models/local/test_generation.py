"""Decoding against transformers' own greedy generation."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from accordeur.core.errors import UsageError
from accordeur.core.model import Batch, Generated, Sampling
from accordeur.models.local import adapter
from accordeur.models.local.body import Body
from accordeur.models.local.generation import decode, row_seed
from accordeur.models.local.model import LocalModel

from ..conftest import ask

TEXTS = ["Where is my card?", "hello", "I want my money back at once, please, all of it.", "no"]


@pytest.fixture(scope="module")
def loaded(tiny_folder: Path) -> adapter.Loaded:
    return adapter.load(tiny_folder, dtype=torch.float32, device=torch.device("cpu"))


@pytest.fixture(scope="module", params=["own", "modules"])
def body(request: pytest.FixtureRequest, loaded: adapter.Loaded) -> Body:
    own = adapter.own_body(loaded)
    assert own is not None
    return own if request.param == "own" else adapter.ModulesBody(loaded)


def in_order(batches: list[Batch[Generated]]) -> list[Generated]:
    found = {at: one for b in batches for at, one in zip(b.indices, b.results, strict=True)}
    return [found[at] for at in sorted(found)]


def reference(model: Any, tokens: list[int], steps: int, stop: int) -> list[int]:
    output = model.generate(
        torch.tensor([tokens]),
        attention_mask=torch.ones(1, len(tokens), dtype=torch.long),
        max_new_tokens=steps,
        do_sample=False,
        eos_token_id=stop,
        pad_token_id=0,
    )
    found: list[int] = output[0, len(tokens) :].tolist()
    return found


def test_greedy_tokens_equal_those_of_transformers(body: Body, loaded: adapter.Loaded) -> None:
    draw = random.Random(0)
    prefix = [draw.randrange(20, 9_000) for _ in range(11)]
    rows = [[draw.randrange(20, 9_000) for _ in range(n)] for n in (3, 12, 1, 7, 5, 9, 2, 4, 8, 6)]
    # Stopping at a token the first row makes early lets a row leave the batch.
    stop = reference(loaded.model, prefix + rows[0], 4, -1)[3]
    with torch.inference_mode():
        start = body.extend(prefix, None)
    answers = decode(body, loaded.head, rows, start, Sampling(max_tokens=14), frozenset({stop}))
    assert answers[0].finished
    for row, answer in zip(rows, answers, strict=True):
        expected = reference(loaded.model, prefix + row, 14, stop)
        assert answer.tokens == [token for token in expected if token != stop]
        assert answer.finished == (stop in expected)


def test_the_log_probability_is_that_of_the_tokens_made(body: Body, loaded: adapter.Loaded) -> None:
    row = [50, 60, 70]
    (answer,) = decode(body, loaded.head, [row], None, Sampling(max_tokens=6), frozenset())
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([row + answer.tokens])).logits[0].float()
    places = logits[2:-1].log_softmax(-1)
    expected = places.gather(1, torch.tensor(answer.tokens)[:, None]).mean()
    assert answer.logprob == pytest.approx(float(expected), abs=1e-4)


def test_answers_are_cut_at_the_limit(tiny: LocalModel) -> None:
    found = in_order(list(tiny.generate([ask(t) for t in TEXTS], Sampling(max_tokens=5))))
    assert all(one.usage.output_tokens <= 5 for one in found)
    assert not all(one.finished for one in found)


def test_a_stream_concatenates_to_the_generated_text(tiny: LocalModel) -> None:
    for sampling in (Sampling(max_tokens=20), Sampling(max_tokens=20, temperature=1.0, seed=3)):
        (batch,) = tiny.generate([ask(TEXTS[0])], sampling)
        assert "".join(tiny.stream(ask(TEXTS[0]), sampling)) == batch.results[0].text


def test_sampling_depends_on_seed_prompt_and_repetition_only(tiny: LocalModel) -> None:
    def sampled(texts: list[str], seed: int) -> list[str]:
        sampling = Sampling(max_tokens=8, temperature=1.0, top_p=0.9, seed=seed)
        return [
            one.text for one in in_order(list(tiny.generate([ask(t) for t in texts], sampling)))
        ]

    first = sampled(["a b c", "a b c", "x"], 1)
    assert first[0] != first[1]
    assert sampled(["x", "a b c", "a b c"], 1) == [first[2], first[0], first[1]]
    assert sampled(["a b c", "a b c", "x"], 2) != first


def test_a_tiny_nucleus_is_greedy(tiny: LocalModel) -> None:
    prompts = [ask(text) for text in TEXTS]
    greedy = in_order(list(tiny.generate(prompts, Sampling(max_tokens=6))))
    nucleus = Sampling(max_tokens=6, temperature=1.0, top_p=1e-6)
    found = in_order(list(tiny.generate(prompts, nucleus)))
    assert [one.text for one in found] == [one.text for one in greedy]


def test_sampled_tokens_follow_the_models_probabilities(body: Body, loaded: adapter.Loaded) -> None:
    rows = [[50, 60, 70]] * 400
    streams = [row_seed(0, rows[0], at) for at in range(400)]
    sampling = Sampling(max_tokens=1, temperature=0.5)
    answers = decode(body, loaded.head, rows, None, sampling, frozenset(), streams)
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([rows[0]])).logits[0, -1].float()
    top = int(logits.argmax())
    expected = float((logits / 0.5).softmax(-1)[top])
    share = float(np.mean([answer.tokens == [top] for answer in answers]))
    assert abs(share - expected) < 4 * (expected * (1 - expected) / 400) ** 0.5 + 1e-9


def test_a_limit_below_one_is_refused(tiny: LocalModel) -> None:
    with pytest.raises(UsageError, match="max_tokens"):
        tiny.generate([ask("x")], Sampling(max_tokens=0))


@pytest.mark.smollm2
def test_the_embedded_model_answers_as_transformers_does(smollm2_folder: Path) -> None:
    real = adapter.load(smollm2_folder, dtype=torch.float32, device=torch.device("cpu"))
    own = adapter.own_body(real)
    assert own is not None
    rows = [[1, 4093, 198, 1780, 314], [1, 4093, 198]]
    answers = decode(own, real.head, rows, None, Sampling(max_tokens=10), frozenset({2}))
    for row, answer in zip(rows, answers, strict=True):
        expected = reference(real.model, row, 10, 2)
        assert answer.tokens == [token for token in expected if token != 2]

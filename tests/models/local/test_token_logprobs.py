"""Log-probabilities of given tokens against the modules of transformers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.models.local import adapter
from accordeur.models.local import token_logprobs as module
from accordeur.models.local.model import LocalModel
from accordeur.models.source import Models
from accordeur.testing.tiny_echo import echoing_model

Sequences = list[tuple[int, ...]]


@pytest.fixture(scope="module")
def loaded(tiny_folder: Path) -> adapter.Loaded:
    return adapter.load(tiny_folder, dtype=torch.float32, device=torch.device("cpu"))


def naive(loaded: adapter.Loaded, tokens: tuple[int, ...]) -> torch.Tensor:
    """log p of every token of the vocabulary after each token, [T, V]."""
    with torch.inference_mode():
        logits: torch.Tensor = loaded.model(torch.tensor([tokens])).logits[0]
    return logits.log_softmax(-1)


def check(loaded: adapter.Loaded, model: LocalModel, sequences: Sequences, shared: int) -> None:
    found = model.token_logprobs(sequences, shared=shared, top=3)
    for tokens, echoed in zip(sequences, found, strict=True):
        reference = naive(loaded, tokens)
        assert len(echoed.logprobs) == len(echoed.tops) == len(tokens)
        assert echoed.logprobs[: shared + 1] == (None,) * (shared + 1)
        for at in range(shared + 1, len(tokens)):
            value = echoed.logprobs[at]
            assert value is not None
            assert abs(value - float(reference[at - 1, tokens[at]])) < 1e-3
            best = reference[at - 1].topk(3)
            assert [one for one, _ in echoed.tops[at]] == best.indices.tolist()
            assert torch.allclose(
                torch.tensor([p for _, p in echoed.tops[at]]), best.values, atol=1e-3
            )


def drawn(lengths: list[int], start: int, seed: int) -> Sequences:
    draw = random.Random(seed)
    first = tuple(draw.randrange(20, 9_000) for _ in range(start))
    return [first + tuple(draw.randrange(20, 60) for _ in range(n)) for n in lengths]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 9), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_every_token_has_the_log_probability_that_transformers_gives_it(
    loaded: adapter.Loaded, tiny: LocalModel, lengths: list[int], start: int, seed: int
) -> None:
    check(loaded, tiny, drawn(lengths, start, seed), 0)
    check(loaded, tiny, drawn(lengths, start, seed), start)


def test_more_tokens_than_a_tree_holds_are_several_trees(
    loaded: adapter.Loaded, tiny: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NODES", 16)
    check(loaded, tiny, drawn([9, 30, 2, 5], 4, 0), 2)


def test_a_token_among_the_likeliest_has_one_number(tiny: LocalModel) -> None:
    tokens = [5]
    for _ in range(8):  # greedy, so each is the likeliest
        (echoed,) = tiny.token_logprobs([(*tokens, 0)], top=1)
        tokens.append(echoed.tops[-1][0][0])
    (echoed,) = tiny.token_logprobs([tuple(tokens)], top=2)
    for token, value, top in zip(tokens[1:], echoed.logprobs[1:], echoed.tops[1:], strict=True):
        assert top[0] == (token, value)


def test_a_single_token_has_nothing_before_it(tiny: LocalModel) -> None:
    assert tiny.token_logprobs([(7,)], top=2)[0].logprobs == (None,)


def test_nothing_is_more_than_certain_in_bfloat16(tmp_path: Path) -> None:
    folder, words = echoing_model(tmp_path / "echo")
    model = Models(dtype="bfloat16").local(str(folder))
    for word in words[:40]:
        (echoed,) = model.token_logprobs([model.chat.plain(f" {word}" * 9)])
        assert all(one is None or one <= 0.0 for one in echoed.logprobs)

"""Scores against the naive computation: the whole prompt and continuation through transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accordeur.models.local import adapter
from accordeur.models.local.body import Body
from accordeur.models.local.head import Head
from accordeur.models.local.llama import LlamaBody
from accordeur.models.local.scoring import score_rows
from accordeur.models.local.trie import build_trie

TOLERANCE = 1e-3
VOCABULARY = 97

SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
}

NETWORKS: dict[str, Any] = {
    "llama-gqa": transformers.LlamaConfig(**SIZES, num_key_value_heads=2),
    "llama-mqa": transformers.LlamaConfig(**SIZES, num_key_value_heads=1),
    "llama-untied": transformers.LlamaConfig(
        **SIZES, num_key_value_heads=4, tie_word_embeddings=False
    ),
    "mistral": transformers.MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=None),
    "qwen2-bias": transformers.Qwen2Config(**SIZES, num_key_value_heads=2),
    "gpt2": transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=512
    ),
    "gemma2-softcap": transformers.Gemma2Config(
        **SIZES, num_key_value_heads=2, head_dim=8, final_logit_softcapping=3.0
    ),
}
OURS = ("llama-gqa", "llama-mqa", "llama-untied", "mistral", "qwen2-bias")


def network(name: str) -> Any:
    torch.manual_seed(7)
    model = transformers.AutoModelForCausalLM.from_config(NETWORKS[name], dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():  # norms and biases too, or folding them shows nothing
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval().requires_grad_(False)


def loaded(model: Any) -> adapter.Loaded:
    config = model.config
    return adapter.Loaded(model, config, None, adapter.head_of(model, config), 512, frozenset())


MODELS = {name: loaded(network(name)) for name in NETWORKS}


def body(name: str, own: bool) -> Body:
    found = adapter.own_body(MODELS[name]) if own else adapter.ModulesBody(MODELS[name])
    assert found is not None
    return found


BODIES = {(name, own): body(name, own) for name in NETWORKS for own in (False, name in OURS)}

token = st.integers(0, VOCABULARY - 1)
few = st.integers(0, 2)  # few distinct tokens make deep shared starts


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[int], list[list[int]], list[list[int]]]:
    prefix = draw(st.lists(token, max_size=12))
    rows = draw(st.lists(st.lists(token, min_size=1, max_size=9), min_size=1, max_size=4))
    shape = st.lists(st.one_of(few, token), min_size=1, max_size=6)
    return prefix, rows, draw(st.lists(shape, min_size=1, max_size=90))


def naive(model: Any, prompt: list[int], continuation: list[int]) -> float:
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + continuation])).logits[0].float()
    places = logits[len(prompt) - 1 : -1].log_softmax(-1)
    return float(places.gather(1, torch.tensor(continuation)[:, None]).sum())


@pytest.mark.parametrize(("name", "own"), sorted(BODIES))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees())
def test_scores_equal_the_naive_computation(
    name: str, own: bool, tree: tuple[list[int], list[list[int]], list[list[int]]]
) -> None:
    prefix, rows, continuations = tree
    engine = BODIES[name, own]
    with torch.inference_mode():
        start = engine.extend(prefix, None) if prefix else None
    scores = score_rows(engine, MODELS[name].head, rows, build_trie(continuations), start)
    for at, row in enumerate(rows):
        for label in (0, len(continuations) // 2, len(continuations) - 1):
            expected = naive(MODELS[name].model, prefix + row, continuations[label])
            assert abs(float(scores[at, label]) - expected) < TOLERANCE


@pytest.mark.parametrize(("name", "own"), sorted(BODIES))
def test_a_prefix_extended_in_two_steps_is_the_prefix(name: str, own: bool) -> None:
    engine = BODIES[name, own]
    tokens = list(range(5, 25))
    with torch.inference_mode():
        once = engine.extend(tokens, None)
        twice = engine.extend(tokens[8:], engine.extend(tokens[:8], None))
    assert twice.tokens == once.tokens
    for left, right in zip(once.keys + once.values, twice.keys + twice.values, strict=True):
        torch.testing.assert_close(left, right, atol=1e-4, rtol=1e-4)


def test_our_forward_pass_is_used_where_it_applies() -> None:
    assert {name for name in NETWORKS if adapter.own_body(MODELS[name])} == set(OURS)


def test_rotary_scaling_of_llama_3_is_ours_too() -> None:
    rope = {
        "rope_type": "llama3",
        "rope_theta": 10_000.0,
        "factor": 4.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    }
    torch.manual_seed(1)
    config = transformers.LlamaConfig(**SIZES, num_key_value_heads=2, rope_parameters=rope)
    model = transformers.AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    own = adapter.own_body(loaded(model))
    assert isinstance(own, LlamaBody)
    rows, continuations = [[5, 6, 7] * 9], [[1, 2], [3]]
    head: Head = adapter.head_of(model, config)
    scores = score_rows(own, head, rows, build_trie(continuations), None)
    assert abs(float(scores[0, 0]) - naive(model, rows[0], [1, 2])) < TOLERANCE


@pytest.mark.smollm2
def test_the_embedded_model_scores_as_transformers_does(smollm2_folder: Path) -> None:
    real = adapter.load(smollm2_folder, dtype=torch.float32, device=torch.device("cpu"))
    own = adapter.own_body(real)
    assert own is not None
    prefix, rows = list(range(100, 160)), [[300, 400, 500], [7000] * 9]
    continuations = [[900, 901, 2], [900, 2], [4000, 2]]
    with torch.inference_mode():
        start = own.extend(prefix, None)
    scores = score_rows(own, real.head, rows, build_trie(continuations), start)
    for at, row in enumerate(rows):
        for label, continuation in enumerate(continuations):
            expected = naive(real.model, prefix + row, continuation)
            assert abs(float(scores[at, label]) - expected) < TOLERANCE

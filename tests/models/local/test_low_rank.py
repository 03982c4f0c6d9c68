"""Adapters beside the weights against the same merged into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from accordeur.core.errors import ModelError
from accordeur.core.model import Adaptation, Delta, Sampling
from accordeur.models.local.llama import LlamaBody
from accordeur.models.local.model import LocalModel

from ..conftest import ask

LABELS = ("Billing", "Lost card")
TEXTS = ("Where is my card?", "hello", "I want my money back at once, please.")


def deltas(model: LocalModel, endings: Sequence[str]) -> dict[str, Delta]:
    """Random updates of different ranks, large enough to change every number."""
    draws = np.random.default_rng(0)
    found = {}
    for name, module in model.modules().model.named_modules():
        if isinstance(module, torch.nn.Linear) and name.endswith(tuple(endings)):
            rank = int(draws.integers(1, 5))
            a = draws.normal(0, 0.2, (rank, module.in_features)).astype(np.float32)
            b = draws.normal(0, 0.2, (module.out_features, rank)).astype(np.float32)
            found[name] = Delta(a, b, 1.5)
    assert found
    return found


def scores(model: LocalModel) -> dict[int, tuple[float, ...]]:
    return {
        at: one.scores
        for batch in model.score([ask(text) for text in TEXTS], LABELS)
        for at, one in zip(batch.indices, batch.results, strict=True)
    }


def body(model: LocalModel) -> LlamaBody:
    found = model._body
    assert isinstance(found, LlamaBody)
    return found


@pytest.mark.parametrize("endings", [("_proj",), ("q_proj", "v_proj"), ("k_proj", "down_proj")])
def test_an_adapter_beside_the_weights_scores_and_writes_as_if_it_were_merged(
    tiny: LocalModel, endings: tuple[str, ...]
) -> None:
    adaptation = Adaptation(deltas=deltas(tiny, endings))
    merged, beside = tiny.adapted(adaptation), tiny.adapted(adaptation, beside=True)
    plain, expected, found = scores(tiny), scores(merged), scores(beside)
    for at in expected:
        assert found[at] == pytest.approx(expected[at], abs=1e-3)
        assert plain[at] != pytest.approx(expected[at], abs=1e-1)
    texts = [
        [one.results[0].text for one in model.generate([ask(TEXTS[0])], Sampling(12))]
        for model in (merged, beside)
    ]
    assert texts[0] == texts[1]


def test_the_weights_of_the_base_are_shared_and_left_as_they_are(tiny: LocalModel) -> None:
    before = scores(tiny)
    beside = tiny.adapted(Adaptation(deltas=deltas(tiny, ("_proj",))), beside=True)
    assert beside is not tiny
    for own, base in zip(body(beside)._layers, body(tiny)._layers, strict=True):
        for name in ("qkv", "out", "gate_up", "down"):
            assert getattr(own, name).data_ptr() == getattr(base, name).data_ptr()
    assert scores(tiny) == before


def test_an_update_that_cannot_stand_beside_is_merged(tiny: LocalModel) -> None:
    lengths = {
        name: replace(one, magnitude=np.full(len(one.b), 2.0, np.float32))
        for name, one in deltas(tiny, ("q_proj",)).items()
    }
    adaptation = Adaptation(deltas=lengths)
    beside = tiny.adapted(adaptation, beside=True)
    assert body(beside)._layers[0].qkv.data_ptr() != body(tiny)._layers[0].qkv.data_ptr()
    assert scores(beside) == scores(tiny.adapted(adaptation))


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("change", ["inputs", "outputs", "ranks", "lengths"])
def test_an_adapter_of_another_base_is_refused_by_name(
    tiny: LocalModel, change: str, beside: bool
) -> None:
    name, one = next(iter(deltas(tiny, ["q_proj"]).items()))
    wrong = {
        "inputs": replace(one, a=one.a[:, :-1]),
        "outputs": replace(one, b=one.b[:-1]),
        "ranks": replace(one, a=np.concatenate([one.a, one.a])),
        "lengths": replace(one, magnitude=one.b[:-1, 0]),
    }[change]
    with pytest.raises(ModelError, match=f"`{name}` has another shape"):
        tiny.adapted(Adaptation(deltas={name: wrong}), beside=beside)

"""Loss and gradient are those of computing every row whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from accordeur.models.local.adapter import Loaded
from accordeur.models.local.head import Head
from accordeur.training import attention
from accordeur.training.answer_loss import ROWS, answer_loss
from accordeur.training.rows import TrainingRow
from accordeur.training.shared_prefix import batch_loss


def naive(modules: Loaded, rows: list[TrainingRow], prefix: Tensor | None) -> Tensor:
    """Every row by itself through the whole model, all logits kept."""
    table = modules.model.get_input_embeddings()
    total = torch.zeros(())
    for row in rows:
        own = table(torch.tensor((*row.row, *row.answer[:-1])))
        whole = own if prefix is None else torch.cat((prefix, own))
        logits = modules.model(inputs_embeds=whole[None]).logits[0, -len(row.answer) :]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(row.answer), reduction="sum")
        total = total + loss
    return total


def gradients(modules: Loaded, rows: list[TrainingRow]) -> tuple[float, float, Tensor, Tensor]:
    start = modules.model.get_input_embeddings()(torch.tensor(rows[0].prefix)).detach()
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    loss, tokens = batch_loss(modules, rows, ours)
    assert tokens == sum(len(row.answer) for row in rows)
    expected = naive(modules, rows, theirs)
    torch.autograd.backward([loss, expected])
    assert ours.grad is not None
    assert theirs.grad is not None
    return float(loss.detach()), float(expected.detach()), ours.grad, theirs.grad


@pytest.mark.parametrize("most", [0, attention.PLAIN_SCORES])
def test_loss_and_gradient_are_the_naive_ones(
    most: int, modules: Loaded, rows: list[TrainingRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = set()
    forward = transformers.models.llama.modeling_llama.LlamaAttention.forward

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        used.add(self.config._attn_implementation)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(attention, "PLAIN_SCORES", most)
    monkeypatch.setattr(transformers.models.llama.modeling_llama.LlamaAttention, "forward", watched)
    batch_loss(modules, rows, modules.model.get_input_embeddings()(torch.tensor(rows[0].prefix)))
    assert used == {"eager" if most else "sdpa"}
    loss, expected, ours, theirs = gradients(modules, rows)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-5


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    prefix=st.integers(1, 12),
    shapes=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=5),
    seed=st.integers(0, 1_000),
)
def test_for_any_shapes(
    modules: Loaded, prefix: int, shapes: list[tuple[int, int]], seed: int
) -> None:
    draws = torch.Generator().manual_seed(seed)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(0, 49_000, (count,), generator=draws).tolist())

    shared = tokens(prefix)
    made = [TrainingRow(shared, tokens(row), tokens(answer)) for row, answer in shapes]
    loss, expected, ours, theirs = gradients(modules, made)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-4


def test_without_a_prefix_rows_are_computed_from_their_first_token(
    modules: Loaded, rows: list[TrainingRow]
) -> None:
    loss, _ = batch_loss(modules, rows, None)
    assert float(loss) == pytest.approx(float(naive(modules, rows, None)), rel=1e-5)


def test_the_loss_in_blocks_is_cross_entropy_and_so_is_its_gradient() -> None:
    draws = torch.Generator().manual_seed(1)
    weight = torch.randn(50, 8, generator=draws)
    hidden = torch.randn(ROWS + 5, 8, generator=draws)
    targets = torch.randint(0, 50, (ROWS + 5,), generator=draws)
    ours, theirs = hidden.clone().requires_grad_(), hidden.clone().requires_grad_()
    loss = answer_loss(ours, Head(weight), targets)
    expected = torch.nn.functional.cross_entropy(theirs @ weight.T, targets, reduction="sum")
    torch.autograd.backward([3 * loss, 3 * expected])
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-6)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_head_that_scales_its_logits_is_refused() -> None:
    with pytest.raises(ValueError, match="plain output layers"):
        answer_loss(torch.zeros(1, 2), Head(torch.zeros(3, 2), scale=2.0), torch.zeros(1).long())

"""Loss and gradient are those of computing every row whole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from accordeur.models.local.adapter import Loaded
from accordeur.models.local.head import Head
from accordeur.training import attention, shared_prefix
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


@pytest.mark.parametrize("way", ["plain", "fused", "in two"])
def test_loss_and_gradient_are_the_naive_ones(
    way: str, modules: Loaded, rows: list[TrainingRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "fused":
        monkeypatch.setattr(attention, "PLAIN_SCORES", 0)
    if way == "in two":
        monkeypatch.setattr(shared_prefix, "able", lambda _: False)
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


def test_the_model_attends_as_before_afterwards(modules: Loaded, rows: list[TrainingRow]) -> None:
    base = modules.model.base_model
    assert attention.able(base)
    layout = attention.Layout(0, 1, 1)
    with attention.attending(base, layout):
        assert not attention.able(base)
    assert attention.able(base)


@settings(max_examples=30, deadline=None)
@given(
    batch=st.integers(1, 3),
    kv=st.integers(1, 2),
    group=st.integers(1, 3),
    queries=st.integers(1, 6),
    before=st.integers(0, 5),
    window=st.none() | st.integers(1, 8),
)
def test_attention_is_that_of_torch(
    batch: int, kv: int, group: int, queries: int, before: int, window: int | None
) -> None:
    draws = torch.Generator().manual_seed(0)
    keys = before + queries
    query = torch.randn(batch, kv * group, queries, 4, generator=draws)
    key, value = (torch.randn(batch, kv, keys, 4, generator=draws) for _ in range(2))
    mask = attention.Layout(0, 1, 1).mask(queries, keys, window, query)
    seen = torch.tensor(
        [
            [
                at <= before + own and (window is None or at > before + own - window)
                for at in range(keys)
            ]
            for own in range(queries)
        ]
    )
    expected = torch.nn.functional.scaled_dot_product_attention(
        query,
        key.repeat_interleave(group, 1),
        value.repeat_interleave(group, 1),
        attn_mask=seen,
        scale=0.3,
    )
    torch.testing.assert_close(attention.attend(query, key, value, mask, 0.3), expected)


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

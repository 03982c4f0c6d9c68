"""Negative log-likelihood of answer tokens under a frozen output layer, in little memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from accordeur.models.local.head import Head

ROWS = 256
"""Positions whose logits are held at once."""


def answer_loss(hidden: Tensor, head: Head, targets: Tensor) -> Tensor:
    """Sum over positions of -log p(target), nats.

    The gradient with respect to the hidden states is made together with the loss, a block of
    positions at a time, so logits are never kept: 64 answers of 60 tokens would take 755 MB of them
    for SmolLM2. So is the output layer's own gradient, when it is trained.

    Args:
        hidden: final hidden states [N, E].
        head: the output layer; plain logits, without scale or soft cap.
        targets: token ids [N].

    Raises:
        ValueError: the head scales or caps its logits.
    """
    if head.scale != 1.0 or head.softcap or head.bias is not None:
        raise ValueError("only plain output layers are trained through")
    loss: Tensor = _AnswerLoss.apply(hidden, head.weight, targets)  # type: ignore[no-untyped-call]
    return loss


class _AnswerLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        loss = hidden.new_zeros((), dtype=torch.float32)
        gradient = torch.empty_like(hidden)
        trained = ctx.needs_input_grad[1]
        own = torch.zeros_like(weight, dtype=torch.float32) if trained else None
        for start in range(0, len(hidden), ROWS):
            part = slice(start, start + ROWS)
            logits = torch.nn.functional.linear(hidden[part], weight).float()
            normaliser = torch.logsumexp(logits, dim=-1, keepdim=True)
            chosen = logits.gather(1, targets[part, None])
            loss += (normaliser - chosen).sum()
            p = logits.sub_(normaliser).exp_().to(weight.dtype)
            gradient[part] = p @ weight - weight[targets[part]]
            if own is not None:
                own += p.T @ hidden[part]
                own.index_add_(0, targets[part], hidden[part].float(), alpha=-1)
        ctx.save_for_backward(gradient, own)
        ctx.dtype = weight.dtype
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, Tensor | None, None]:
        gradient, own = ctx.saved_tensors
        return gradient * grads[0], None if own is None else (own * grads[0]).to(ctx.dtype), None

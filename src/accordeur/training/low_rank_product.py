"""A linear layer with a low-rank update, as one operation that gradients flow through.

PEFT's module computes x W^T + s (x A^T) B^T in ten operations of the autograd graph; in bfloat16 it
carries the input, the update and the sum through float32, three copies of every activation. Here
the update is added in place by the product that makes it, in the dtype of the activations, and
backward adds the two gradients of x the same way. A and B stay float32; only their use is rounded.
Measured: docs/benchmarks.md.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _LowRankProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        down, up = a.to(x.dtype), (b * scale).to(x.dtype)
        inner = flat @ down.T
        out = torch.nn.functional.linear(flat, weight, bias).addmm_(inner, up.T)
        ctx.save_for_backward(flat, inner, weight, down, up)
        ctx.scale, ctx.shape = scale, x.shape
        ctx.dtypes = a.dtype, b.dtype
        return out.reshape(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        flat, inner, weight, down, up = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])
        through = grad @ up
        toward = None
        if ctx.needs_input_grad[0]:
            toward = (grad @ weight).addmm_(through, down).reshape(ctx.shape)
        of_a = (through.T @ flat).to(ctx.dtypes[0])
        of_b = (grad.T @ inner).to(ctx.dtypes[1]) * ctx.scale
        return toward, None, None, of_a, of_b, None


def low_rank_product(
    x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
) -> Tensor:
    """x W^T + bias + scale (x A^T) B^T, [..., out], in the dtype of x.

    Args:
        x: [..., in].
        weight, bias: frozen, [out, in] and [out].
        a, b: the update, [rank, in] and [out, rank]; of any float dtype.
        scale: of the update.
    """
    found: Tensor = _LowRankProduct.apply(x, weight, bias, a, b, scale)  # type: ignore[no-untyped-call]
    return found


def use_products(module: Any, adapter: str) -> None:
    """Let an adapted linear module of PEFT, with this adapter alone, compute this way."""
    base = module.get_base_layer()
    a, b = module.lora_A[adapter].weight, module.lora_B[adapter].weight
    scale = float(module.scaling[adapter])

    def forward(x: Tensor, *_: Any, **__: Any) -> Tensor:
        return low_rank_product(x, base.weight, base.bias, a, b, scale)

    module.forward = forward

"""A linear layer with a low-rank update, against PEFT's module and by differences."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor

from accordeur.training.low_rank_product import low_rank_product, use_products


class Net(torch.nn.Module):
    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(6, 5, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.inner(x)
        return made


def adapted(bias: bool, dtype: torch.dtype) -> Any:
    torch.manual_seed(1)
    net = Net(bias).to(dtype)
    config = LoraConfig(r=3, lora_alpha=7, target_modules=["inner"])
    inject_adapter_in_model(config, net)
    for name, parameter in net.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape)
    return net


def taken(net: Any, x: Tensor, weights: Tensor) -> list[Tensor]:
    """Output and gradients; the input is used twice, as prefix and rows use a layer twice."""
    mine = x.clone().requires_grad_(True)
    out = net(mine) + net(mine * 2)
    (out * weights).sum().backward()
    inner = net.inner
    found = [mine.grad, inner.lora_A["default"].weight.grad, inner.lora_B["default"].weight.grad]
    assert all(one is not None for one in found)
    return [out.detach(), *found]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 3e-2)])
def test_value_and_gradients_are_those_of_peft(
    bias: bool, dtype: torch.dtype, tolerance: float
) -> None:
    draws = torch.Generator().manual_seed(0)
    x = torch.randn(2, 4, 6, generator=draws).to(dtype)
    weights = torch.randn(2, 4, 5, generator=draws).to(dtype)
    theirs = taken(adapted(bias, dtype), x, weights)
    net = adapted(bias, dtype)
    use_products(net.inner, "default")
    mine = taken(net, x, weights)
    for one, other in zip(mine, theirs, strict=True):
        assert one.dtype == other.dtype
        assert torch.norm(one.float() - other.float()) <= tolerance * torch.norm(other.float())


def test_gradients_are_those_of_differences() -> None:
    draws = torch.Generator().manual_seed(0)
    x, weight, a, b = (
        torch.randn(*shape, dtype=torch.float64, generator=draws)
        for shape in ((3, 4), (5, 4), (2, 4), (5, 2))
    )
    moving = [one.requires_grad_(True) for one in (x, a, b)]
    assert torch.autograd.gradcheck(
        lambda x, a, b: low_rank_product(x, weight, None, a, b, 0.5), moving
    )
    a.requires_grad_(True)
    torch.autograd.backward(low_rank_product(x.detach(), weight, None, a, b, 0.5).sum())
    assert x.grad is None

"""`product` is `linear`, whatever side the weight stands on."""

from __future__ import annotations

import pytest
import torch

from accordeur.models.local.product import FEW_ROWS, MOST_ROWS, product


@pytest.mark.parametrize("rows", [1, 2, 17, FEW_ROWS, FEW_ROWS + 1, MOST_ROWS, MOST_ROWS + 3])
@pytest.mark.parametrize("outputs", [24, 21])
@pytest.mark.parametrize("biased", [False, True])
def test_it_is_linear_for_any_number_of_rows(rows: int, outputs: int, biased: bool) -> None:
    draws = torch.Generator().manual_seed(rows)
    x = torch.randn(rows, 16, generator=draws)
    weight = torch.randn(outputs, 16, generator=draws)
    bias = torch.randn(outputs, generator=draws) if biased else None
    expected = torch.nn.functional.linear(x.double(), weight.double(), None)
    expected = expected if bias is None else expected + bias.double()
    torch.testing.assert_close(product(x, weight, bias).double(), expected, atol=1e-5, rtol=1e-5)


def test_rows_in_column_order_are_taken_as_they_are() -> None:
    x = torch.randn(16, 40).t()
    weight = torch.randn(8, 16)
    torch.testing.assert_close(product(x, weight), torch.nn.functional.linear(x, weight))


def test_bfloat16_goes_to_linear() -> None:
    x, weight = torch.randn(4, 16).bfloat16(), torch.randn(8, 16).bfloat16()
    assert torch.equal(product(x, weight), torch.nn.functional.linear(x, weight))


def test_nothing_of_what_it_is_given_changes() -> None:
    x, weight, bias = torch.randn(3, 16), torch.randn(8, 16), torch.randn(8)
    before = [one.clone() for one in (x, weight, bias)]
    product(x, weight, bias)
    assert all(torch.equal(a, b) for a, b in zip((x, weight, bias), before, strict=True))

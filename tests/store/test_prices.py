"""The user's table of prices survives a round trip and says when it was edited badly."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from accordeur.core.errors import StoreError
from accordeur.store.prices import TokenPrice, read_prices, write_prices

AMOUNT = some.floats(0, 1e6)


@given(some.dictionaries(some.text(min_size=1, max_size=9), some.tuples(AMOUNT, AMOUNT)))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, amounts: dict[str, tuple[float, float]]
) -> None:
    place = tmp_path_factory.mktemp("config") / "prices.json"
    prices = {name: TokenPrice(*pair, "EUR", "2026-11-22") for name, pair in amounts.items()}
    write_prices(prices, place)
    assert read_prices(place) == prices


def test_no_table_is_an_empty_one(tmp_path: Path) -> None:
    assert read_prices(tmp_path / "prices.json") == {}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"a": 1}',
        '{"a": {"input_per_million": -1, "output_per_million": 1, "currency": "USD", "date": ""}}',
        '{"a": {"input_per_million": "1", "output_per_million": 1, "currency": "USD", "date": ""}}',
        '{"a": {"input_per_million": 1}}',
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    place = tmp_path / "prices.json"
    place.write_text(text, encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be read") as caught:
        read_prices(place)
    assert "accordeur models prices" in caught.value.hint

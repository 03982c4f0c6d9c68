"""Numbers as people read them."""

from __future__ import annotations

import pytest

from accordeur.report import numbers


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (numbers.points(0.7171), "71.7"),
        (numbers.points(None), "–"),
        (numbers.points(0.0), "0.0"),
        (numbers.signed(-0.0131), "−1.3"),
        (numbers.signed(0.042), "+4.2"),
        (numbers.signed(-0.00001), "0.0"),
        (numbers.signed(0.0), "0.0"),
        (numbers.interval({"low": 0.63, "high": 0.79}), "[63.0, 79.0]"),
        (numbers.interval(None), ""),
        (numbers.p_value(0.00002), "p < 0.001"),
        (numbers.p_value(0.0341), "p = 0.034"),
        (numbers.money(None), "unknown"),
        (numbers.money(0.0, "USD"), "0 USD"),
        (numbers.money(2.7e-7, "USD"), "2.7×10⁻⁷ USD"),
        (numbers.money(1e-9), "10⁻⁹"),
        (numbers.money(12345.6), "12,346"),
        (numbers.seconds(0.0000042), "4.2 µs"),
        (numbers.seconds(0.0682), "68.2 ms"),
        (numbers.seconds(0.99999), "1 s"),
        (numbers.seconds(185), "3 min 5 s"),
        (numbers.size(None), "–"),
        (numbers.size(1_250_000), "1.25 MB"),
        (numbers.rows(1), "1 row"),
        (numbers.times(1), "once"),
        (numbers.times(3), "3 times"),
    ],
)
def test_a_number_is_shown_as(shown: str, expected: str) -> None:
    assert shown == expected

"""Numbers as people read them. Nothing is computed here but the change of unit.

Scores are shown in points: 0.717 is 71.7. What is not known is "unknown" or a dash, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DASH = "–"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def points(value: float | None) -> str:
    """A score: `71.7`."""
    return DASH if value is None else _minus(f"{100 * value:.1f}")


def signed(value: float | None) -> str:
    """A difference of scores: `+4.2`, `−1.3`."""
    if value is None:
        return DASH
    text = _minus(f"{100 * value:+.1f}")
    return "0.0" if text == "+0.0" else text


def interval(bounds: Mapping[str, Any] | None, *, sign: bool = False) -> str:
    """`[63.0, 79.0]`; empty without one."""
    if bounds is None:
        return ""
    show = signed if sign else points
    return f"[{show(bounds['low'])}, {show(bounds['high'])}]"


def share(value: float | None) -> str:
    """A part of a whole: `94 %`."""
    return DASH if value is None else f"{100 * value:.0f}\u00a0%"


def p_value(value: float | None) -> str:
    """`p < 0.001`, `p = 0.034`; a dash when no test was made."""
    if value is None:
        return DASH
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def significant(value: float) -> str:
    """Three significant digits, small ones as powers of ten: `0.00125`, `8.3×10⁻⁹`."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return _minus(f"{value:,.0f}")
    if abs(value) >= 1e-4:
        return _minus(f"{value:.3g}")
    mantissa, exponent = f"{value:.1e}".split("e")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPT)
    return power if mantissa == "1.0" else _minus(f"{mantissa}×{power}")


def money(value: float | None, currency: str = "") -> str:
    """An amount: `0.0125 USD`."""
    if value is None:
        return "unknown"
    return f"{significant(value)} {currency}".strip()


def seconds(value: float | None) -> str:
    """A duration: `12 µs`, `3.1 ms`, `2.4 s`, `3 min 5 s`."""
    if value is None:
        return DASH
    for unit, size in (("µs", 1e-6), ("ms", 1e-3)):
        if value < 1000 * size * 0.9995:
            return f"{value / size:.3g} {unit}"
    if value < 100:
        return f"{value:.3g} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes:,} min {rest} s" if minutes < 60 else f"{minutes / 60:.1f} h"


def count(value: float | None) -> str:
    """A whole number: `12,345`."""
    return DASH if value is None else f"{value:,.0f}"


def size(value: float | None) -> str:
    """Bytes: `1.2 MB`."""
    if value is None:
        return DASH
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.3g} {unit}"


def rows(number: int) -> str:
    """`1 row`, `240 rows`."""
    return f"{number:,} row{'' if number == 1 else 's'}"


def times(number: int) -> str:
    """`once`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number:,} times")


def _minus(text: str) -> str:
    """The real minus sign, and no minus zero."""
    if text.startswith("-"):
        return text[1:] if not text.strip("-0.") else "−" + text[1:]
    return text

"""Scales, ticks and axes that the figures share. Positions are in SVG user units (pixels)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accordeur.report.markup import Markup, tag
from accordeur.report.numbers import significant


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear scale from [low, high] to [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The position of a value, held within the scale."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, about: int) -> list[float]:
        """Round values, `about` so many."""
        step = _round_step((self.high - self.low) / max(about, 1))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Log:
    """A logarithmic scale from [low, high] (positive) to [start, end]."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The position of a value, held within the scale; what is not positive stands at `low`."""
        value = min(max(value, self.low), self.high)
        span = math.log(self.high / self.low) or 1.0
        return self.start + math.log(value / self.low) / span * (self.end - self.start)

    def ticks(self, about: int) -> list[float]:
        """Powers of ten, every so many that about `about` remain; with 2 and 5 on short scales."""
        first, last = (
            math.ceil(math.log10(self.low) - 1e-9),
            math.floor(math.log10(self.high) + 1e-9),
        )
        if last - first >= 2:
            step = max(1, math.ceil((last - first) / max(about, 1)))
            return [10.0**power for power in range(first, last + 1, step)]
        values = (m * 10.0**power for power in range(first - 1, last + 1) for m in (1, 2, 5))
        inside = [value for value in values if self.low <= value <= self.high]
        return inside[:: max(1, math.ceil(len(inside) / max(about, 1)))]


Scale = Linear | Log


def score_range(values: Sequence[float]) -> tuple[float, float]:
    """Bounds around scores with some air, on round fractions, not beyond [0, 1] needlessly."""
    low, high = min(values), max(values)
    air = max((high - low) * 0.06, 0.01)
    step = 0.05
    bottom = math.floor((low - air) / step) * step
    top = math.ceil((high + air) / step) * step
    if low >= 0:
        bottom = max(bottom, 0.0)
    if high <= 1:
        top = min(top, 1.0)
    return bottom, top


def log_range(values: Sequence[float], widen: float = 1.6) -> tuple[float, float]:
    """Bounds around positive values with some air."""
    return min(values) / widen, max(values) * widen


def points_tick(value: float) -> str:
    """A tick of a score axis: 0.7 is `70`."""
    return f"{100 * value:.4g}".replace("-", "−")


def plain_tick(value: float) -> str:
    """A tick of an axis of amounts."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return significant(value)


def x_axis(
    scale: Scale,
    y: float,
    top: float,
    title: str,
    show: Callable[[float], str],
    about: int,
) -> Markup:
    """Ticks with grid lines up to `top`, and a title beneath."""
    parts = []
    for value in scale.ticks(about):
        x = scale(value)
        parts.append(tag("line", class_="grid", x1=x, x2=x, y1=top, y2=y))
        parts.append(tag("text", show(value), class_="tick", x=x, y=y + 17, text_anchor="middle"))
    middle = (scale.start + scale.end) / 2
    parts.append(tag("text", title, class_="axis-title", x=middle, y=y + 38, text_anchor="middle"))
    parts.append(tag("line", class_="axis", x1=scale.start, x2=scale.end, y1=y, y2=y))
    return tag("g", parts)


def y_axis(
    scale: Scale, x: float, right: float, show: Callable[[float], str], about: int
) -> Markup:
    """Ticks with grid lines up to `right`."""
    parts = []
    for value in scale.ticks(about):
        y = scale(value)
        parts.append(tag("line", class_="grid", x1=x, x2=right, y1=y, y2=y))
        parts.append(tag("text", show(value), class_="tick", x=x - 7, y=y + 4, text_anchor="end"))
    return tag("g", parts)


def _round_step(rough: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= rough * 0.999)

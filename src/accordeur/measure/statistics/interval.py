"""An interval: two ends and the level it was made for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, in the unit of the number it belongs to.

    Attributes:
        low: lower end.
        high: upper end, not below ``low``.
        level: nominal coverage, between 0 and 1 (0.95 for a 95 % interval).
    """

    low: float
    high: float
    level: float

    def __post_init__(self) -> None:
        check_level(self.level)
        if not self.low <= self.high:  # written so that NaN is refused too
            raise ValueError(f"`low` must not exceed `high`, got {self.low} and {self.high}")


def check_level(level: float) -> None:
    """Raise ``ValueError`` unless ``level`` lies strictly between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"`level` must lie strictly between 0 and 1, got {level}")

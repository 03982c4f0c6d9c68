"""The user's table of token prices: `prices.json` in the configuration folder.

Prices are what people agreed with a vendor on some day, so the table starts empty, and every entry
carries its date. A model that is not in it has an unknown price.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from accordeur.core.errors import StoreError
from accordeur.core.paths import config_folder
from accordeur.store.durable import disk_errors, write_atomic

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What tokens of a model cost.

    Attributes:
        input_per_million, output_per_million: as vendors print them.
        currency: of both.
        date: when it was written down, `2026-11-22`.
    """

    input_per_million: float
    output_per_million: float
    currency: str
    date: str

    def __post_init__(self) -> None:
        for one in (self.input_per_million, self.output_per_million):
            if not (isinstance(one, int | float) and math.isfinite(one) and one >= 0):
                raise ValueError("a price is a number that is not negative")
        if not (isinstance(self.currency, str) and 0 < len(self.currency) <= 8):
            raise ValueError("a currency has up to eight letters")
        if not isinstance(self.date, str):
            raise ValueError("a date is a text")


def prices_file() -> Path:
    """Where the table lies."""
    return config_folder() / "prices.json"


def read_prices(place: Path | None = None) -> dict[str, TokenPrice]:
    """Prices by the name of the model.

    Raises:
        StoreError: the table was edited into something that cannot be read.
    """
    place = place or prices_file()
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
        return {str(name): TokenPrice(**price) for name, price in data.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"The table of prices `{place}` cannot be read: {error}.",
            hint="mend it, or move it away and type the prices again: accordeur models prices",
        ) from error


def write_prices(prices: Mapping[str, TokenPrice], place: Path | None = None) -> None:
    """Write the table.

    Raises:
        StoreError: it cannot be written.
    """
    place = place or prices_file()
    with disk_errors(place, "The prices written down before are kept."):
        place.parent.mkdir(parents=True, exist_ok=True)
    data = {name: asdict(prices[name]) for name in sorted(prices)}
    write_atomic(place, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())

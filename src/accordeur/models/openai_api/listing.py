"""What an endpoint offers: its `/models`."""

from __future__ import annotations

from typing import Any

from accordeur.core.errors import ModelError, UsageError
from accordeur.core.registry import unknown_name
from accordeur.models.openai_api.client import Client
from accordeur.models.openai_api.driving import Driver
from accordeur.models.openai_api.failures import Failure
from accordeur.models.openai_api.vendors import VENDORS, endpoint


def listed(vendor: str, base_url: str | None = None) -> list[dict[str, Any]]:
    """The models of a vendor's endpoint, by name.

    Raises:
        UsageError: no vendor goes by this name.
        ModelError: the endpoint does not tell.
    """
    if vendor not in VENDORS:
        error = unknown_name("vendor", vendor, tuple(VENDORS))
        raise UsageError(error.message, hint=error.hint)
    place, driver = endpoint(VENDORS[vendor], base_url), Driver()
    client = Client(place)
    try:
        return sorted(driver.call(client.models()), key=lambda one: str(one["id"]))
    except Failure as failure:
        raise ModelError(
            f"{place.base_url}: {failure}", hint=failure.hint(vendor, place.vendor.key_variable)
        ) from None
    finally:
        driver.close(client.close)

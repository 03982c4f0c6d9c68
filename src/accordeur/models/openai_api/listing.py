"""What an endpoint offers: its `/models`, and what one of them can do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from accordeur.core.errors import ModelError, UsageError
from accordeur.core.registry import unknown_name
from accordeur.models.openai_api.abilities import Abilities
from accordeur.models.openai_api.client import Client
from accordeur.models.openai_api.driving import Driver
from accordeur.models.openai_api.failures import Failure
from accordeur.models.openai_api.vendors import VENDORS, endpoint
from accordeur.models.source import Models


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


@dataclass(frozen=True, slots=True)
class Probed:
    """What a model can do, for people.

    Attributes:
        name: as it was asked for.
        engine: address, and the name the endpoint resolves it to.
        abilities: what was found out.
        without: optional fields it does not take.
    """

    name: str
    engine: str
    abilities: Abilities
    without: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.name,
            "engine": self.engine,
            "ways": [str(way) for way in self.abilities.ways(("a", "b"))],
            "abilities": asdict(self.abilities),
            "without": list(self.without),
        }

    def facts(self) -> list[tuple[str, str]]:
        """Question and answer."""
        can = self.abilities
        return [
            ("model", self.name),
            ("called as", self.engine),
            ("context", f"{can.window:,} tokens" if can.window else "not told"),
            ("labels by", ", ".join(self.to_json()["ways"])),
            ("log-probabilities of labels", "yes" if can.exact else "no"),
            ("most probable first tokens", str(can.top or "no")),
            ("answers held to a schema", can.schema or "no"),
            ("system messages", "yes" if can.system else "no"),
            ("tools", "yes" if can.tools else "no"),
            ("seed", "no" if "seed" in self.without else "yes"),
            ("fields it does not take", ", ".join(self.without) or "none"),
        ]


def probed(name: str, base_url: str | None = None) -> Probed:
    """Ask a model behind an endpoint anew what it can do, and remember it.

    Raises:
        ModelError: it does not answer, or its key is missing.
    """
    from accordeur.models.openai_api.model import EndpointModel

    model = Models(base_url=base_url).model(name)
    assert isinstance(model, EndpointModel)
    model.check(anew=True)
    try:
        without = tuple(sorted(model.client.without))
        return Probed(model.identity.name, model.identity.engine, model.abilities, without)
    finally:
        model.close()

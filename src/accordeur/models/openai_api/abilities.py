"""What a model behind an endpoint can do: asked once, remembered in the user's cache folder.

Known by address, name, and the name the endpoint resolves it to. A question that was answered is
written down at once, so a command whose limit of calls ends in the middle loses nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from accordeur.core.fingerprint import digest
from accordeur.core.paths import cache_folder
from accordeur.models.openai_api.token_wire import Tokens


class Way(StrEnum):
    """How a label is chosen, the best way first."""

    LOGPROBS = "logprobs"
    TOP = "top"
    SCHEMA = "schema"
    PARSE = "parse"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What was found out. A field that was not asked about yet is `None`.

    Attributes:
        own: our own server, which takes messages in parts.
        window: tokens of prompt and answer together; 0 where the endpoint does not tell.
        turn_end: tokens that the chat template puts behind an answer, the end of turn first; empty
            where tokens cannot be asked for.
        echo: new tokens that have to be asked for to be told the log-probabilities of a prompt, 0
            or 1; -1 where they are not told.
    """

    own: bool | None = None
    window: int | None = None
    turn_end: Tokens | None = None
    echo: int | None = None

    @property
    def exact(self) -> bool:
        """Whether log-probabilities of given labels are to be had."""
        return bool(self.turn_end) and self.echo in (0, 1)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What was not asked about yet, in the order of asking."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) is None)


class Memory:
    """One file for each model of each endpoint.

    A file that cannot be read or written costs a handful of calls the next time, nothing else.

    Args:
        base_url, name, resolved: whose it is.
        folder: by default `endpoints` in the user's cache folder.
    """

    def __init__(
        self, base_url: str, name: str, resolved: Collection[str], folder: Path | None = None
    ) -> None:
        place = folder if folder is not None else cache_folder() / "endpoints"
        self._whose = [base_url, name, *resolved]
        self.path = place / f"{digest(self._whose)[:24]}.json"

    def read(self) -> Abilities:
        """What is known."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            return _abilities(data["abilities"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Abilities()

    def write(self, abilities: Abilities) -> None:
        """Keep what is known."""
        data = {"model": self._whose, "abilities": asdict(abilities)}
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part = self.path.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
            part.replace(self.path)

    def forget(self) -> None:
        """Ask again the next time."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _abilities(data: Mapping[str, Any]) -> Abilities:
    known = {one.name: data.get(one.name) for one in fields(Abilities)}
    if known["turn_end"] is not None:
        known["turn_end"] = tuple(int(one) for one in known["turn_end"])
    return Abilities(**known)

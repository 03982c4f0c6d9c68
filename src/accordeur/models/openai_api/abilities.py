"""What a model behind an endpoint can do: asked once, remembered in the user's cache folder.

Known by address, name, and the name the endpoint resolves it to. A question that was answered is
written down at once, so a command whose limit of calls ends in the middle loses nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from accordeur.core.fingerprint import digest
from accordeur.core.paths import cache_folder
from accordeur.models.openai_api.choosing import told_apart
from accordeur.models.openai_api.token_wire import Tokens

MOST_TEXTS = 1_000
"""Labels whose tokens are kept."""

MOST_FINGERPRINTS = 20
"""Kept of those that answered; vendors answer with several at once."""


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
        top: most probable first tokens of an answer that are told; 0 where none are.
        schema: how an answer is held to choices (`choosing.FORMATS`); empty where it is not.
        system: messages of the role `system` are taken.
        tools: tools may be offered.
    """

    own: bool | None = None
    window: int | None = None
    turn_end: Tokens | None = None
    echo: int | None = None
    top: int | None = None
    schema: str | None = None
    system: bool | None = None
    tools: bool | None = None

    @property
    def exact(self) -> bool:
        """Whether log-probabilities of given labels are to be had."""
        return bool(self.turn_end) and self.echo in (0, 1)

    def ways(self, labels: Sequence[str] = ()) -> tuple[Way, ...]:
        """Ways of choosing among labels, the best first.

        Args:
            labels: their texts; `TOP` needs some that begin differently.
        """
        possible = {
            Way.LOGPROBS: self.exact,
            Way.TOP: bool(self.top) and told_apart(labels),
            Way.SCHEMA: bool(self.schema),
            Way.PARSE: True,
        }
        return tuple(way for way, is_possible in possible.items() if is_possible)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What was not asked about yet, in the order of asking."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) is None)


class Memory:
    """What is known of a model of an endpoint: one file.

    A file that cannot be read or written costs a handful of calls the next time, nothing else.

    Args:
        base_url, name: whose it is.
        folder: by default `endpoints` in the user's cache folder.
    """

    def __init__(self, base_url: str, name: str, folder: Path | None = None) -> None:
        place = folder if folder is not None else cache_folder() / "endpoints"
        self._whose = [base_url, name]
        self.path = place / f"{digest(self._whose)[:24]}.json"

    def read(self, resolved: str | None = None) -> Abilities:
        """What is known of it.

        Args:
            resolved: name of the model that answers; by default the one that answered last.
        """
        data = self._data()
        try:
            whose = data["last"] if resolved is None else resolved
            return _abilities(data["models"][whose])
        except (KeyError, TypeError, ValueError, AttributeError):
            return Abilities()

    def write(self, abilities: Abilities, resolved: str) -> None:
        """Keep what is known."""
        data = self._data()
        models = data.get("models")
        models = models if isinstance(models, dict) else {}
        models[resolved] = asdict(abilities)
        self._write({**data, "models": models, "last": resolved})

    def tokens(self, resolved: str) -> dict[str, Tokens]:
        """Of label texts, each with the end of turn."""
        try:
            known = self._data()["tokens"][resolved]
            return {str(text): tuple(map(int, tokens)) for text, tokens in known.items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return {}

    def add_tokens(self, resolved: str, text: str, tokens: Tokens) -> None:
        """Of one more text; the oldest are forgotten."""
        known = {**self.tokens(resolved), text: tokens}
        kept = dict(list(known.items())[-MOST_TEXTS:])
        self._write({**self._data(), "tokens": {resolved: kept}})

    def forget_tokens(self, resolved: str) -> None:
        """They may be others now."""
        self._write({**self._data(), "tokens": {}})

    def fingerprints(self) -> list[str]:
        """Of the systems that answered so far, the last one last."""
        known = self._data().get("fingerprints")
        return [str(one) for one in known] if isinstance(known, list) else []

    def add_fingerprint(self, fingerprint: str) -> None:
        """One that answered."""
        known = [one for one in self.fingerprints() if one != fingerprint]
        self._write({**self._data(), "fingerprints": [*known, fingerprint][-MOST_FINGERPRINTS:]})

    def _data(self) -> dict[str, Any]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def _write(self, data: Mapping[str, Any]) -> None:
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part = self.path.with_suffix(f".{os.getpid()}.part")
            told = json.dumps({"endpoint": self._whose, **data}, indent=1)
            part.write_text(told + "\n", encoding="utf-8")
            part.replace(self.path)


def _abilities(data: Mapping[str, Any]) -> Abilities:
    known = {one.name: data.get(one.name) for one in fields(Abilities)}
    if known["turn_end"] is not None:
        known["turn_end"] = tuple(int(one) for one in known["turn_end"])
    return Abilities(**known)

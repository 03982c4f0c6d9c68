"""The same demonstrations for every request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from accordeur.core.part import Slot
from accordeur.core.rendering import Request
from accordeur.parts.demonstrations.demonstration import Demonstration, write_jsonl


@dataclass(frozen=True, slots=True)
class FixedDemonstrations:
    """A fixed list, shown in its order.

    Attributes:
        shown: the demonstrations.
    """

    slot: ClassVar[Slot] = "demonstrations"
    shared: ClassVar[bool] = True

    shown: tuple[Demonstration, ...]

    @property
    def trained_parameters(self) -> int:
        """None: rows are shown, nothing is fitted."""
        return 0

    @property
    def embedder(self) -> str | None:
        """No embedding model is needed to choose."""
        return None

    def describe(self) -> str:
        """A few words."""
        return f"{len(self.shown)} demonstrations"

    def files(self) -> Mapping[str, bytes]:
        """`demonstrations.jsonl`."""
        return {"demonstrations.jsonl": write_jsonl(self.shown)}

    def choose(
        self, requests: tuple[Request, ...], embed: object = None
    ) -> list[tuple[Demonstration, ...]]:
        """The demonstrations of each request: all but the request's own row and its group."""
        return [
            tuple(one for one in self.shown if not _is_own(one, request)) for request in requests
        ]


def _is_own(shown: Demonstration, request: Request) -> bool:
    return request.row is not None and (shown.row == request.row or shown.group == request.group)

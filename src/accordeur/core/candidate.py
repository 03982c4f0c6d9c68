"""A candidate: a base model (or none) and at most one part per slot. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.part import SLOTS, Part, Slot
from accordeur.core.task import TaskBrief

P = TypeVar("P", bound=Part)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way of answering a task.

    The order of slots fixes how a request is rendered; the order of a stack of levers only fixes
    the order of fitting.

    Attributes:
        task: words of the task it answers (labels and instruction; no rows).
        base: name of the base model, or `None` for floors that need no language model.
        parts: by slot.
    """

    task: TaskBrief
    base: str | None
    parts: Mapping[Slot, Part] = field(default_factory=dict)

    def with_part(self, part: Part) -> Candidate:
        """A new candidate in which this part fills its slot."""
        parts = {**self.parts, part.slot: part}
        return replace(self, parts={slot: parts[slot] for slot in SLOTS if slot in parts})

    def without(self, slot: Slot) -> Candidate:
        """A new candidate in which this slot is empty."""
        return replace(self, parts={s: p for s, p in self.parts.items() if s != slot})

    def part(self, kind: type[P]) -> P | None:
        """The part in the slot of this class, or `None`.

        Raises:
            TypeError: the slot holds a part of another class.
        """
        found = self.parts.get(kind.slot)
        if found is None:
            return None
        if not isinstance(found, kind):
            raise TypeError(f"slot {kind.slot} holds {type(found).__name__}, not {kind.__name__}")
        return found

    @property
    def trained_parameters(self) -> int:
        """Numbers fitted to data over all parts."""
        return sum(part.trained_parameters for part in self.parts.values())

    @property
    def fingerprint(self) -> str:
        """Hash of the base's name and of every part's files."""
        return digest(
            {
                "base": self.base,
                "labels": [[label.name, label.text] for label in self.task.labels],
                "parts": {
                    slot: {name: digest_bytes(data) for name, data in part.files().items()}
                    for slot, part in self.parts.items()
                },
            }
        )

    def describe(self) -> str:
        """Its parts in a few words."""
        return ", ".join(text for part in self.parts.values() if (text := part.describe()))

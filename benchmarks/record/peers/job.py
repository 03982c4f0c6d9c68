"""What a peer is given and gives back, as plain files."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One task for a peer.

    Attributes:
        instruction: as the task has it; for labels with their names behind it.
        labels: what the model may answer; empty for text.
        train: (text, answer) to learn from.
        held_out: texts to be answered.
        seconds: wall time for making; answering the held-out rows comes on top, as in a run.
        model, embedder: folders with safetensors.
        new_tokens: limit of an answer.
    """

    instruction: str
    labels: tuple[str, ...]
    train: tuple[tuple[str, str], ...]
    held_out: tuple[str, ...]
    seconds: float
    model: str
    embedder: str
    new_tokens: int

    def prompt(self, text: str) -> str:
        """Instruction and row, as one message."""
        return f"{self.instruction}\n\n{text}"

    def write(self, place: Path) -> None:
        """As JSON."""
        place.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, place: Path) -> Job:
        """Inverse of `write`."""
        data = json.loads(place.read_text(encoding="utf-8"))
        data["train"] = tuple((text, answer) for text, answer in data["train"])
        return cls(**{**data, "labels": tuple(data["labels"]), "held_out": tuple(data["held_out"])})


@dataclass
class Clock:
    """Wall time since the job began."""

    seconds: float
    began: float = field(default_factory=time.monotonic)

    @property
    def gone(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self.began

    @property
    def over(self) -> bool:
        """Whether making has to end."""
        return self.gone >= self.seconds


def answer(place: Path, answers: list[str], **facts: Any) -> None:
    """Give the held-out answers, in the order of the texts, with what is to be known of them."""
    place.write_text(json.dumps({"answers": answers, **facts}), encoding="utf-8")

"""The plan: everything that fixes a run's numbers. Its hash is the run's identity.

The clock and the wall-time budget are not in it; what the budget decided (the effort) is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accordeur._version import __version__
from accordeur.bench.stacks import Refusal, Stack
from accordeur.core.fingerprint import digest
from accordeur.core.model import ModelIdentity
from accordeur.core.task import Task


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done.

    Attributes:
        task: digest of words, labels, metric and all rows.
        model, embedder: identities of what is loaded; `None` when not used.
        rerankers: identities of those that levers name.
        entries: floors first, then as-is, then the rest in the order asked.
        refused: entries that cannot be pulled.
        effort: configurations a searching lever may score on dev.
        seed: of the run.
        screening: hopeless generating levers are stopped early.
        rows: counts per split.
        limits, prices: of the task; they decide the verdict.
    """

    task: str
    model: ModelIdentity | None
    embedder: ModelIdentity | None
    rerankers: tuple[ModelIdentity, ...]
    entries: tuple[Stack, ...]
    refused: tuple[Refusal, ...]
    effort: int
    seed: int
    screening: bool
    rows: dict[str, int]
    limits: dict[str, Any]
    prices: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As plain data; its digest is the plan's hash."""
        named = {"rerankers": [one.to_json() for one in self.rerankers]} if self.rerankers else {}
        return {
            **named,
            "accordeur": __version__,
            "task": self.task,
            "model": self.model.to_json() if self.model else None,
            "embedder": self.embedder.to_json() if self.embedder else None,
            "entries": [
                {
                    "name": stack.name,
                    "floor": stack.floor,
                    "levers": [
                        {"name": lever.name, "settings": dict(lever.settings)}
                        for lever in stack.levers
                    ],
                }
                for stack in self.entries
            ],
            "refused": [{"name": one.name, "reason": one.reason} for one in self.refused],
            "effort": self.effort,
            "seed": self.seed,
            "screening": self.screening,
            "rows": self.rows,
            "limits": self.limits,
            "prices": self.prices,
        }

    @property
    def hash(self) -> str:
        """SHA-256 of the plan."""
        return digest(self.to_json())


def make_plan(
    task: Task,
    *,
    model: ModelIdentity | None,
    embedder: ModelIdentity | None,
    rerankers: Sequence[ModelIdentity] = (),
    floors: Sequence[Stack],
    stacks: Sequence[Stack],
    refused: Sequence[Refusal],
    effort: int,
    seed: int,
    screening: bool,
) -> Plan:
    """Put a plan together."""
    limits = {name: getattr(task.limits, name) for name in task.limits.__slots__}
    prices = {name: getattr(task.prices, name) for name in task.prices.__slots__}
    return Plan(
        task=task.digest,
        model=model,
        embedder=embedder,
        rerankers=tuple(rerankers),
        entries=(*floors, *stacks),
        refused=tuple(refused),
        effort=effort,
        seed=seed,
        screening=screening,
        rows={
            "train": len(task.train),
            "dev": len(task.dev),
            "test": task.held_out.count if task.held_out else 0,
            "unlabelled": len(task.unlabelled),
        },
        limits=limits,
        prices=prices,
    )

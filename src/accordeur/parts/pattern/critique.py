"""Self-correction: answer, list the deductions, check each, answer again.

The order of steps is that of the prompt engineer's trade: make the model list what its answer rests
on, recognise the errors, correct them. Related: A. Madaan et al., Self-Refine, 2023; S. Dhuliawala
et al., Chain-of-Verification, 2023. J. Huang et al., Large Language Models Cannot Self-Correct
Reasoning Yet, 2023, is why `ASK_AGAIN` stands beside it: a second answer without any critique.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.part import Slot
from accordeur.parts.pattern.conversation import Asked
from accordeur.parts.pattern.stored import stored

Turns = tuple[tuple[str, str], ...]
"""(name of the reply, what is asked)."""

CRITIQUE: Turns = (
    (
        "deductions",
        "List the deductions that this answer rests on, one per line.",
    ),
    (
        "checks",
        "Check each deduction against the question. Say of each whether it is right, and correct "
        "those that are wrong.",
    ),
    (
        "answer",
        'Give the corrected answer. Write "Answer:" and the answer alone.',
    ),
)

ASK_AGAIN: Turns = (
    (
        "answer",
        'Answer the question again. Write "Answer:" and the answer alone.',
    ),
)
"""The placebo: another chance to answer, nothing to think about."""


@dataclass(frozen=True, slots=True)
class Critique:
    """A draft, then fixed turns; the reply to the last of them is the answer.

    Attributes:
        turns: what follows the draft.
        max_tokens: limit of each reply.
    """

    slot: ClassVar[Slot] = "pattern"
    kind: ClassVar[str] = "critique"
    opening: ClassVar[str] = ""
    first_reply: ClassVar[str] = "draft"

    max_tokens: int
    turns: Turns = CRITIQUE

    @property
    def trained_parameters(self) -> int:
        """None: words are not fitted numbers."""
        return 0

    @property
    def most_calls(self) -> int:
        """The draft and a call per turn."""
        return 1 + len(self.turns)

    def describe(self) -> str:
        """A few words."""
        return "asked again" if self.turns == ASK_AGAIN else "draft, deductions, checks, revision"

    def follow(self, replies: Sequence[str]) -> Asked | None:
        """The turn after so many replies."""
        if len(replies) > len(self.turns):
            return None
        name, text = self.turns[len(replies) - 1]
        return Asked(text, name)

    def files(self) -> Mapping[str, bytes]:
        """`pattern.json`."""
        return stored(
            self.kind,
            {"max_tokens": self.max_tokens, "turns": [list(turn) for turn in self.turns]},
        )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Critique:
        """Inverse of `files`, of what `stored` held."""
        turns = tuple((str(name), str(text)) for name, text in settings["turns"])
        if not turns:
            raise ValueError("no turns")
        return cls(int(settings["max_tokens"]), turns)

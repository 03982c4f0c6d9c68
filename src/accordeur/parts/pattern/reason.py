"""Step by step: the model writes its reasoning first, then `Answer:` and the answer (P5).

J. Wei et al., Chain-of-Thought Prompting Elicits Reasoning in Large Language Models, 2022 (worked
examples); T. Kojima et al., Large Language Models are Zero-Shot Reasoners, 2022 (a sentence that
asks for it). One call answers, so weights can be trained on top where rows carry worked steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.part import Slot
from accordeur.parts.pattern.stored import stored

WORDS = 'Think step by step. Then write "Answer:" and the answer alone.'
MARK = "Answer:"


@dataclass(frozen=True, slots=True)
class Reason:
    """One call whose answer stands at the end of its reasoning.

    Attributes:
        words: stand behind the instruction.
        max_tokens: limit of reasoning and answer together.
    """

    slot: ClassVar[Slot] = "pattern"
    kind: ClassVar[str] = "reason"

    max_tokens: int
    words: str = WORDS

    @property
    def trained_parameters(self) -> int:
        """None: words are not fitted numbers."""
        return 0

    def describe(self) -> str:
        """A few words."""
        return "step by step"

    def worked(self, steps: Sequence[str], answer: str) -> str:
        """An answer as the model is to write it: a step a line, then the answer."""
        return "\n".join((*steps, f"{MARK} {answer}"))

    def files(self) -> Mapping[str, bytes]:
        """`pattern.json`."""
        return stored(self.kind, {"max_tokens": self.max_tokens, "words": self.words})

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Reason:
        """Inverse of `files`, of what `stored` held."""
        return cls(int(settings["max_tokens"]), str(settings["words"]))

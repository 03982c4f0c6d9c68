"""Least-to-most: name the smaller questions, answer them one after the other, then the whole.

D. Zhou et al., Least-to-Most Prompting Enables Complex Reasoning in Large Language Models, 2022.
Where we differ: theirs shows worked examples of splitting and solving; ours asks in words, and each
call sees the whole conversation so far.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from accordeur.core.part import Slot
from accordeur.parts.pattern.conversation import Asked
from accordeur.parts.pattern.stored import stored

SPLIT = (
    "Do not answer yet. List the smaller questions that have to be answered first, one per line, "
    "the easiest first."
)
WHOLE = 'Now answer the question you were asked. Write "Answer:" and the answer alone.'

_FIRST = re.compile(r"\(?1([.):])\s")
_BULLET = re.compile(r"^\s*(?:[-*\u2022]|\(?[0-9]{1,2}[.):])\s*")


@dataclass(frozen=True, slots=True)
class LeastToMost:
    """Smaller questions first.

    Attributes:
        max_tokens: limit of each reply.
        most_questions: further ones are left out.
    """

    slot: ClassVar[Slot] = "pattern"
    kind: ClassVar[str] = "chain"
    opening: ClassVar[str] = SPLIT
    first_reply: ClassVar[str] = "questions"

    max_tokens: int
    most_questions: int = 3

    @property
    def trained_parameters(self) -> int:
        """None: words are not fitted numbers."""
        return 0

    @property
    def most_calls(self) -> int:
        """Splitting, the smaller questions, the whole."""
        return 2 + self.most_questions

    def describe(self) -> str:
        """A few words."""
        return f"at most {self.most_questions} smaller questions first"

    def follow(self, replies: Sequence[str]) -> Asked | None:
        """The next smaller question, then the whole."""
        questions = smaller_questions(replies[0])[: self.most_questions]
        answered = len(replies) - 1
        if answered < len(questions):
            return Asked(questions[answered], f"question {answered + 1}", static=False)
        return Asked(WHOLE, "answer") if answered == len(questions) else None

    def files(self) -> Mapping[str, bytes]:
        """`pattern.json`."""
        settings = {"max_tokens": self.max_tokens, "most_questions": self.most_questions}
        return stored(self.kind, settings)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> LeastToMost:
        """Inverse of `files`, of what `stored` held."""
        return cls(int(settings["max_tokens"]), int(settings["most_questions"]))


def smaller_questions(text: str) -> list[str]:
    """Questions named in a list: every line that is not empty, its bullet or number taken off.

    Where some lines end in a question mark, the others (an introduction, a remark) do not count;
    a question named twice counts once. A list that starts at 1 on a single line is a list too: T5's
    tokenizer knows no line breaks.
    """
    said = text.strip().splitlines()
    if len(said) == 1:
        said = _items(said[0])
    lines = [_BULLET.sub("", line).strip() for line in said]
    lines = list(dict.fromkeys(line for line in lines if line))
    asked = [line for line in lines if line.endswith("?")]
    return asked or lines


def _items(line: str) -> list[str]:
    """A list on one line, split where the next number stands as the first one does: 1. 2. 3."""
    opened = _FIRST.match(line)
    if opened is None:
        return [line]
    found, rest, number = list[str](), line, 2
    while True:
        following = re.search(rf"(?<=[.?!;,])\s\(?{number}{re.escape(opened[1])}\s", rest)
        if following is None:
            return [*found, rest]
        found.append(rest[: following.start()])
        rest, number = rest[following.start() + 1 :], number + 1

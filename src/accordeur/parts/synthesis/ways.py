"""From documents to one text, in calls that each fit the context.

    map-reduce   notes for the question from every group, then one answer from the notes; where the
                 notes do not fit, notes from the notes
    refine       an answer from the first group, improved with each that follows
    tree         summaries of groups, summaries of so many summaries, up to a few that fit; the
                 question comes last, so the next one finds the summaries in the cache

The list and the tree index of GPT Index (J. Liu, 2022, later LlamaIndex). Notes and summaries are
put between delimiters like the passages they were made from: they are no instructions, either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from accordeur.core.errors import ModelError, UsageError
from accordeur.parts.synthesis.stretches import grouped
from accordeur.parts.synthesis.writing import Writer, Written

Texts = Sequence[tuple[str, str]]
Way = Callable[["_Work", str, Texts], str]

FAN = 4
"""Summaries that one summary of a tree is made of."""

NOTE = (
    "Write down in a few sentences what the passages say that helps with this: {asked} "
    "If nothing helps, write: nothing."
)
ANSWER = "{asked} Use the passages."
IMPROVE = (
    "{asked} Passage 1 is the answer so far; the others are new. Write the answer again, better "
    "where they add or correct something, the same where they do not."
)
SUMMARISE = "Sum up the passages in a few sentences. Keep names, numbers, dates and rules."


@dataclass(frozen=True, slots=True)
class Step:
    """How far it is.

    Attributes:
        done: calls that are finished.
        planned: calls in all, as far as can be told.
    """

    done: int
    planned: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        text: the answer.
        calls: that it took.
        groups: of text that were read.
        input_tokens, output_tokens: of all calls, those from the cache included.
    """

    text: str
    calls: int
    groups: int
    input_tokens: int
    output_tokens: int


class _Work:
    """Calls, counted."""

    def __init__(self, writer: Writer, told: Callable[[Step], None]) -> None:
        self.writer = writer
        self.told = told
        self.done = self.planned = self.groups = 0
        self.input_tokens = self.output_tokens = 0

    def all(self, instruction: str, groups: Sequence[Texts]) -> list[str]:
        """A text from each group, in order."""
        made: dict[int, Written] = {}
        for at, one in self.writer.write([(instruction, group) for group in groups]):
            made[at] = one
            self.done += 1
            self.input_tokens += one.input_tokens
            self.output_tokens += one.output_tokens
            self.told(Step(self.done, max(self.planned, self.done)))
        return [made[at].text for at in range(len(groups))]

    def cut(self, instruction: str, texts: Texts) -> list[list[tuple[str, str]]]:
        """Texts in groups that fit beside an instruction."""
        return grouped(texts, self.writer.room_beside(instruction), self.writer.count)

    def fits(self, instruction: str, texts: Texts) -> bool:
        """Whether they all fit one call."""
        return len(self.cut(instruction, texts)) <= 1


def map_reduce(work: _Work, asked: str, texts: Texts) -> str:
    """See the module."""
    note, answer = NOTE.format(asked=asked), ANSWER.format(asked=asked)
    groups = work.cut(note, texts)
    work.groups, work.planned = len(groups), len(groups) + 1
    if work.fits(answer, texts):
        work.groups = work.planned = 1
        return work.all(answer, [texts])[0]
    notes = _told(work.all(note, groups))
    while notes and not work.fits(answer, notes):
        smaller = work.cut(note, notes)
        _must_shrink(len(smaller), len(notes))
        work.planned = work.done + len(smaller) + 1
        notes = _told(work.all(note, smaller))
    return work.all(answer, [notes])[0] if notes else "Nothing in the documents helps with this."


def refine(work: _Work, asked: str, texts: Texts) -> str:
    """See the module."""
    improve = IMPROVE.format(asked=asked)
    room = work.writer.room_beside(improve) - work.writer.limit
    if room < 1:
        raise _too_small()
    groups = grouped(texts, room, work.writer.count)
    work.groups = work.planned = len(groups)
    (text,) = work.all(ANSWER.format(asked=asked), groups[:1])
    for group in groups[1:]:
        (text,) = work.all(improve, [[("answer so far", text), *group]])
    return text


def tree(work: _Work, asked: str, texts: Texts) -> str:
    """See the module."""
    answer = ANSWER.format(asked=asked)
    groups = work.cut(SUMMARISE, texts)
    work.groups, work.planned = len(groups), _nodes(len(groups)) + 1
    level = _named(work.all(SUMMARISE, groups))
    while not work.fits(answer, level) or len(level) > FAN:
        parents = [level[at : at + FAN] for at in range(0, len(level), FAN)]
        if not all(work.fits(SUMMARISE, parent) for parent in parents):
            parents = work.cut(SUMMARISE, level)
        _must_shrink(len(parents), len(level))
        level = _named(work.all(SUMMARISE, parents))
    return work.all(answer, [level])[0]


WAYS: dict[str, Way] = {"map-reduce": map_reduce, "refine": refine, "tree": tree}
"""By the name that is typed."""


def synthesise(
    way: str,
    asked: str,
    texts: Texts,
    writer: Writer,
    told: Callable[[Step], None] = lambda step: None,
) -> Outcome:
    """An answer from all of the texts.

    Args:
        way: a name of `WAYS`.
        asked: question or task.
        texts: name and text of each document, in order.
        writer: makes the calls.
        told: of each finished call.

    Raises:
        UsageError: there is no such way, or no text.
        ModelError: a call failed, or the model's context is too small.
    """
    if way not in WAYS:
        raise UsageError(f"There is no way `{way}`.", hint=f"--by {'|'.join(WAYS)}")
    if not any(text.strip() for _, text in texts):
        raise UsageError("There is no text to read.", hint="accordeur index status INDEX")
    work = _Work(writer, told)
    text = WAYS[way](work, asked, texts)
    return Outcome(text, work.done, work.groups, work.input_tokens, work.output_tokens)


def _named(texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"part {number}", text) for number, text in enumerate(texts, start=1)]


def _told(notes: Sequence[str]) -> list[tuple[str, str]]:
    """Notes that say something."""
    empty = ("", "nothing")
    return [one for one in _named(notes) if one[1].strip(" .\n").casefold() not in empty]


def _nodes(leaves: int) -> int:
    """Leaves and the nodes above them, up to a level of at most `FAN`."""
    total = level = leaves
    while level > FAN:
        level = ceil(level / FAN)
        total += level
    return total


def _must_shrink(now: int, before: int) -> None:
    if now >= before:
        raise _too_small()


def _too_small() -> ModelError:
    return ModelError(
        "The parts do not get shorter: the model's context is too small for them.",
        hint="--max-tokens 100 makes shorter parts; -m names a model that reads more",
    )

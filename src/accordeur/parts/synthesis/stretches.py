"""Texts cut and put together so that each group fits a prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from accordeur.documents.citations.sentences import sentence_spans

CountTokens = Callable[[str], int]

_LETTERS = 3
"""Letters of a token at least, where a sentence alone is too long."""


def grouped(
    texts: Sequence[tuple[str, str]], room: int, count: CountTokens
) -> list[list[tuple[str, str]]]:
    """Names and texts in their order, in groups of at most so many tokens, names included.

    A text that is too long is cut between paragraphs, then between sentences; only a sentence that
    is too long by itself is cut anywhere. Nothing is lost but white space.

    Args:
        texts: name and text of each document.
        room: tokens of a group, at least 1.
        count: tokens of a text.
    """
    groups: list[list[tuple[str, str]]] = []
    left = 0
    for name, text in texts:
        beside = max(1, room - count(f"{name}\n"))
        for piece in _pieces(text, beside, count):
            tokens = count(f"{name}\n{piece}")
            if not groups or tokens > left:
                groups.append([])
                left = room
            last = groups[-1]
            if last and last[-1][0] == name:
                last[-1] = (name, f"{last[-1][1]}\n\n{piece}")
            else:
                last.append((name, piece))
            left -= tokens
    return groups


def _pieces(text: str, room: int, count: CountTokens) -> Iterator[str]:
    """Paragraphs that fit together, a long one cut."""
    held = ""
    for part in _small(text, room, count):
        joined = f"{held}\n\n{part}" if held else part
        if held and count(joined) > room:
            yield held
            joined = part
        held = joined
    if held:
        yield held


def _small(text: str, room: int, count: CountTokens) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if not paragraph.strip():
            continue
        if count(paragraph) <= room:
            yield paragraph.strip()
            continue
        for start, end in sentence_spans(paragraph):
            sentence = paragraph[start:end]
            if count(sentence) <= room:
                yield sentence
            else:
                size = max(1, min(_LETTERS * room, len(sentence) * room // count(sentence)))
                yield from (sentence[at : at + size] for at in range(0, len(sentence), size))

"""Passages on the terminal: where they stand, and the words that were asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.text import Text

from accordeur.cli.terminal import console, one_line, safe
from accordeur.documents.passage import Found, Passage

LONGEST = 700
"""Characters of a passage that are shown."""

_INDENT = "   "
_WORD = re.compile(r"\w+")
_STEM = 4


def show_found(found: Sequence[Found], question: str, also: Mapping[str, tuple[str, ...]]) -> None:
    """Print what was found, best first."""
    out = console()
    for rank, one in enumerate(found, start=1):
        if rank > 1:
            out.print()
        out.print(Text(f"{rank}. {place(one.passage)}", style="bold"))
        out.print(Text(f"   {scores(one)}", style="dim"))
        for name in also[one.passage.span.document]:
            out.print(Text(f"   the same stands in {one_line(name)}", style="dim"))
        text = marked(shortened(one.passage.text), question)
        for line in text.wrap(out, out.width - len(_INDENT)):
            line.rstrip()
            out.print(Text(_INDENT).append_text(line))


def place(passage: Passage) -> str:
    """`handbook/leave.md › Leave › Parental leave, page 3`."""
    words = " › ".join(one_line(title) for title in (passage.span.document, *passage.headings))
    return f"{words}, page {passage.page}" if passage.page is not None else words


def scores(one: Found) -> str:
    """What it is ordered by, and what each side says."""
    told = [f"score {one.score:.3f}"]
    if one.lexical is not None:
        told.append(f"words {one.lexical:.2f}")
    if one.dense is not None:
        told.append(f"vectors {one.dense:.3f}")
    span = one.passage.span
    return f"{', '.join(told)} · passage {one.passage.number}, characters {span.start}-{span.end}"


def shortened(text: str) -> str:
    """Without empty lines, and not too long for a screen."""
    lines = "\n".join(line for line in safe(text).splitlines() if line.strip())
    return lines if len(lines) <= LONGEST else f"{lines[: LONGEST - 1]}…"


def marked(text: str, question: str) -> Text:
    """The text with the words of a question in bold; endings may differ."""
    asked = {word.casefold() for word in _WORD.findall(question)}
    shown = Text(text)
    for found in _WORD.finditer(text):
        word = found[0].casefold()
        if any(_alike(word, one) for one in asked):
            shown.stylize("bold yellow", found.start(), found.end())
    return shown


def _alike(word: str, asked: str) -> bool:
    """The same but for an ending, which search does not tell apart, either."""
    if word == asked:
        return True
    short, long = sorted((word, asked), key=len)
    same = next(
        (at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short)
    )
    return same >= _STEM and len(long) - same <= 3 and len(short) - same <= 1

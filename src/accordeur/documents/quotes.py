"""Where a quote may begin and end in a text.

A quote is made of whole words and whole numbers (`12:30`, `£1,310`, `70%`), may end with the
sentence's mark, and says something: `of the` is none.
"""

from __future__ import annotations

import re

from accordeur.core.model import Quotable
from accordeur.documents.ranking.expression import COMMON

_WORD = re.compile(r"[£$€¥]?\d+(?:[.,:/]\d+)*%?|\w+(?:['\u2019-]\w+)*")
_MARK = re.compile(r"[.!?]+")


def quotable(text: str) -> Quotable:
    """The places of a text; no start where nothing that is said follows."""
    words = list(_WORD.finditer(text))
    ends = {word.end() for word in words}
    ends |= {mark.end() for word in words if (mark := _MARK.match(text, word.end()))}
    starts: dict[int, int] = {}
    least = None
    for word in reversed(words):
        if word[0].lower() not in COMMON:
            least = word.end()
        if least is not None:
            starts[word.start()] = least
    return Quotable(text, dict(sorted(starts.items())), frozenset(ends))

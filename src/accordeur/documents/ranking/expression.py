"""A question in ordinary words, as an expression for the MATCH operator of SQLite FTS5."""

from __future__ import annotations

import itertools
import unicodedata

_COMMON = """
a an and are as at be by did do does for from how in is it its of on or that the this to was were
what when where which who why with
"""

COMMON = frozenset(_COMMON.split())
"""The commonest English words and those that ask. Without them a search of 68,000 passages is 5.7
times as fast, and no ranking was worse beyond noise on either of two sets
(docs/decisions/2026-11-22-retrieval-ranking.md)."""


def match_expression(question: str) -> str:
    """Any of the question's words, each in quotes: `"saxon" OR "garden"`.

    Words are runs of letters, digits and marks, so nothing of FTS5's query language gets through;
    quotes make `AND`, `OR`, `NOT` and `NEAR` ordinary words. FTS5 takes each apart as it took apart
    the text (stems, accents, case), and a word of which it makes several becomes a phrase. Common
    English words are left out where others remain: BM25 gives them next to no weight, and reading
    where they stand takes most of the time (`COMMON`).

    Args:
        question: any text at all.

    Returns:
        The expression, each word once, in the order of the question; empty where there is no word
        to ask for, which FTS5 itself would refuse.

    Source: https://www.sqlite.org/fts5.html, "Full-text Query Syntax".
    """
    runs = itertools.groupby(question, _in_word)
    words = dict.fromkeys("".join(letters).lower() for inside, letters in runs if inside)
    telling = [word for word in words if word not in COMMON]
    return " OR ".join(f'"{word}"' for word in telling or words)


def _in_word(sign: str) -> bool:
    """Whether `unicode61` may see a part of a word in it; it has older tables of Unicode."""
    category = unicodedata.category(sign)
    return category[0] in "LNM" or category == "Co"

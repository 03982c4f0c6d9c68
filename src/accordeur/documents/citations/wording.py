"""Texts as weighted words: rare ones say more about where a sentence comes from."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

Words = frozenset[str]

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+")
_COMMON = frozenset(
    _WORD.findall(
        "a about an and any are as at be been but by can could did do does for from had has "
        "have he her his how i if in into is it its may me more most must my no nor not of on "
        "one or our out shall she should so some such than that the their them then there "
        "these they this those to too up us was we were what when where which who whom whose "
        "why will with would yes you your"
    )
)
_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "est", "ers", "es", "ed", "er", "ly", "s")
_LEAST = 4
"""Letters that must be left of a word whose ending goes."""


def words(text: str) -> Words:
    """Words that carry meaning, case folded, endings of English cut off.

    Numbers keep their decimals and lose their thousands separators, so `1,000` is `1000`.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    found = (_plain(one) for one in _WORD.findall(folded))
    return frozenset(one for one in found if one not in _COMMON)


def _plain(word: str) -> str:
    if word[0].isdigit():
        return re.sub(r",(?=\d{3}(?!\d))", "", word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            word = word.removesuffix(ending)
            break
    return word.removesuffix("e") if len(word) > _LEAST else word


def weights(texts: Iterable[Words]) -> Mapping[str, float]:
    """Weight of each word among these texts: ln(1 + n / texts that have it)."""
    seen = list(texts)
    counts = Counter(word for one in seen for word in one)
    return {word: math.log1p(len(seen) / count) for word, count in counts.items()}


def share(asked: Collection[str], held: Collection[str], weight: Mapping[str, float]) -> float:
    """Weighted share of the asked words that are held; 0 where nothing is asked.

    A word that no text has weighs as much as the rarest that one has.
    """
    rarest = max(weight.values(), default=1.0)
    total = sum(weight.get(word, rarest) for word in asked)
    return sum(weight.get(word, rarest) for word in asked if word in held) / total if total else 0.0

"""Reading an answer out of generated text (DESIGN P5)."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from accordeur.core.task import Label

_MARK = re.compile(r"answer\s*:", re.IGNORECASE)
_UNABLE = r"(?:can(?:no|['’]|\s+no)?t|won['’]?t|unable|not\s+able)"
_REFUSAL = re.compile(
    # "I'm sorry, but I can't ...", "Sorry, as a language model I am unable to ..."
    rf"\W*(?:i(?:['’]?m|\s+am)\s+(?:very\s+)?(?:sorry|afraid)|i\s+apologi[sz]e|sorry)\b"
    rf"[^.!?]{{0,60}}?\bi(?:['’]?m|\s+am)?\s+(?:\w+\s+)?{_UNABLE}\b"
    # "I cannot help with ...", "I won't be able to answer ..."
    rf"|\W*i\s+{_UNABLE}\b.{{0,60}}?\b(?:assist|help|answer|provide|comply|fulfil?l|do\s+that)\b"
    # "I am unable to ...", "I'm not able to ..."
    rf"|\W*i(?:['’]?m|\s+am)\s+(?:unable|not\s+able)\b",
    re.IGNORECASE | re.DOTALL,
)

_SEPARATORS = ",_'’\u00a0\u202f\u2009"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w.])[-+\u2212])?[$€£¥]?\s?"
    rf"(?P<digits>(?:[0-9]{{1,3}}(?:[{_SEPARATORS}][0-9]{{3}})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
    rf"|(?<![0-9.])\.[0-9]+)"
    rf"(?P<exponent>[eE][-+]?[0-9]+)?"
)
_REMOVE = str.maketrans("", "", _SEPARATORS)


def after_answer(text: str) -> str:
    """What follows the last "Answer:", else all of it; stripped."""
    marks = list(_MARK.finditer(text))
    return (text[marks[-1].end() :] if marks else text).strip()


def fold(text: str) -> str:
    """Case and punctuation folded: NFKC, casefold, every other character a space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[^\w]+", " ", folded).replace("_", " ").split())


def read_label(text: str, labels: Sequence[Label]) -> Label | None:
    """The label an answer names: an exact match after folding, else the only one occurring.

    A label occurs when its display text or its name stands in the answer as whole words. Labels
    contained in another occurring label do not count beside it ("card" in "lost card").
    """
    answer = fold(after_answer(text))
    forms = [{fold(label.text), fold(label.name)} - {""} for label in labels]
    for label, names in zip(labels, forms, strict=True):
        if answer in names:
            return label
    padded = f" {answer} "
    found = [
        (label, max((name for name in names if f" {name} " in padded), key=len))
        for label, names in zip(labels, forms, strict=True)
        if any(f" {name} " in padded for name in names)
    ]
    outer = [
        label
        for label, name in found
        if not any(name != other and f" {name} " in f" {other} " for _, other in found)
    ]
    return outer[0] if len(outer) == 1 else None


def last_number(text: str) -> float | None:
    """The last number of the text after the last `Answer:` (or of all of it); `None` if none.

    Read as a number: an optional sign, an optional currency sign, digits, a decimal point, an
    exponent. Thousands separators are removed when exactly three digits follow each: `1,234.5` is
    one number, `1,2` are two. A minus behind a letter or digit is a dash: `10-5` ends in 5. A
    decimal comma is not understood, a percent sign is ignored, and of a fraction `3/4` only the 4
    is read.
    """
    numbers = list(_NUMBER.finditer(after_answer(text)))
    if not numbers:
        return None
    found = numbers[-1]
    value = float(found["digits"].translate(_REMOVE) + (found["exponent"] or ""))
    if not math.isfinite(value):
        return None
    return -value if found["sign"] in ("-", "\u2212") else value


def is_refusal(text: str) -> bool:
    """The model declines in its own words, at the start of its answer.

    An apology alone is no refusal ("Sorry to hear that, we will help"): the first sentence must
    also say that *I* cannot.
    """
    return _REFUSAL.match(text) is not None

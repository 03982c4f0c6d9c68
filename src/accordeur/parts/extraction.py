"""Reading an answer out of generated text (DESIGN P5)."""

from __future__ import annotations

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


def is_refusal(text: str) -> bool:
    """The model declines in its own words, at the start of its answer.

    An apology alone is no refusal ("Sorry to hear that, we will help"): the first sentence must
    also say that *I* cannot.
    """
    return _REFUSAL.match(text) is not None

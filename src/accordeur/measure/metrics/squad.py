"""Text normalisation of the SQuAD v1.1 evaluation script (Rajpurkar et al. 2016).

In this order: lower case; ASCII punctuation deleted (not replaced by a space); the words `a`,
`an`, `the` replaced by a space; white space collapsed.
"""

from __future__ import annotations

import re
import string

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


def normalise(text: str) -> str:
    """The text as SQuAD compares it: `"The  U.S.A.!"` -> `"usa"`."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())

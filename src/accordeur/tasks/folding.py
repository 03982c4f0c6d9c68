"""One text's folded form: what two inputs share when a person would call them the same."""

from __future__ import annotations

import re
import unicodedata

_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_SIGN = re.compile(r"(?<!\w)[-−–](?=\d)")
_KEPT = {"\ue000": ".", "\ue001": "-"}


class _Spaced(dict[int, int]):
    """Code point to itself, or to a space for punctuation; filled as characters are met."""

    def __missing__(self, code: int) -> int:
        self[code] = ord(" ") if unicodedata.category(chr(code))[0] in "PZ" else code
        return self[code]


_SPACED = _Spaced()


def fold(text: str) -> str:
    """Casefolded NFKC with every run of punctuation and white space as one space.

    Differences from plain folding, so that different rows stay different: the separators and the
    minus sign of numbers stay ("3.5" is not "3 5", "-2" is not "2"), symbols such as currency signs
    and emoji stay, and so do the vowel signs of scripts that write them as marks. A text of
    punctuation alone stays as it is.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # Private-use characters stand in for what must survive, then come back.
    plain = plain.translate({ord(stand_in): " " for stand_in in _KEPT})
    kept = _SIGN.sub("\ue001", _DECIMAL.sub("\ue000", plain))
    folded = " ".join(kept.translate(_SPACED).split())
    for stand_in, original in _KEPT.items():
        folded = folded.replace(stand_in, original)
    return folded or " ".join(plain.split())

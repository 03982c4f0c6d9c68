"""`contains` and its kin: a text, one of several or all of several occur in the answer."""

from __future__ import annotations

from collections.abc import Callable

from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, shown
from accordeur.measure.assertions.plain import as_text, as_texts


def _one(fold: Callable[[str], str]) -> Callable[[Said, Asked], Finding]:
    def check(said: Said, asked: Asked) -> Finding:
        wanted = as_text(asked.value)
        return decided(fold(wanted) in fold(said.text), f"`{shown(wanted)}` is not in it")

    return check


def _any(fold: Callable[[str], str]) -> Callable[[Said, Asked], Finding]:
    def check(said: Said, asked: Asked) -> Finding:
        wanted = as_texts(asked.value)
        text = fold(said.text)
        found = any(fold(one) in text for one in wanted)
        return decided(found, f"none of `{shown(', '.join(wanted))}` is in it")

    return check


def _all(fold: Callable[[str], str]) -> Callable[[Said, Asked], Finding]:
    def check(said: Said, asked: Asked) -> Finding:
        text = fold(said.text)
        missing = [one for one in as_texts(asked.value) if fold(one) not in text]
        return decided(not missing, f"`{shown(', '.join(missing))}` is not in it")

    return check


def _valid(value: object) -> None:
    as_texts(value)


CONTAINS = Kind("the text is in the answer", "text", check=_one(str))
ICONTAINS = Kind("the same, whatever the case", "text", check=_one(str.lower))
CONTAINS_ANY = Kind("one of the texts is in it", "texts", check=_any(str), valid=_valid)
ICONTAINS_ANY = Kind("the same, whatever the case", "texts", check=_any(str.lower), valid=_valid)
CONTAINS_ALL = Kind("all texts are in it", "texts", check=_all(str), valid=_valid)
ICONTAINS_ALL = Kind("the same, whatever the case", "texts", check=_all(str.lower), valid=_valid)

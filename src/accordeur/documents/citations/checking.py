"""A quote must stand at its place in the indexed document, character by character."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from accordeur.core.span import Span
from accordeur.documents.citations.citation import Cited
from accordeur.documents.passage import Passage

TextAt = Callable[[Span], str | None]
"""The indexed document's characters at a span; `None` where it has no such place."""


def check(cited: Cited, text_at: TextAt) -> Cited:
    """Only the citations whose quote stands where they say.

    The claim of any other counts as unsupported, unless another citation is left to it.
    """
    kept = tuple(one for one in cited.citations if text_at(one.span) == one.quote)
    left = {one.claim for one in kept}
    lost = {one.claim for one in cited.citations} - left
    unsupported = sorted({*cited.unsupported, *lost}, key=lambda claim: claim.start)
    return replace(cited, citations=kept, unsupported=tuple(unsupported))


def text_of(passages: Iterable[Passage]) -> TextAt:
    """Documents as far as passages hold them: for collections that keep no whole text."""
    held: dict[str, list[Passage]] = {}
    for passage in passages:
        held.setdefault(passage.span.document, []).append(passage)

    def text_at(span: Span) -> str | None:
        for passage in held.get(span.document, ()):
            if passage.span.start <= span.start and span.end <= passage.span.end:
                start = passage.span.start
                return passage.text[span.start - start : span.end - start]
        return None

    return text_at

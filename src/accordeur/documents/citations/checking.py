"""A quote must stand at its place in the indexed document.

White space may differ, because stretches that are shown as one are joined by line ends; the quote
is then given as the document has it. Every other character must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from accordeur.core.span import Span
from accordeur.documents.citations.citation import Citation, Cited, Stretch

TextAt = Callable[[Span], str | None]
"""The indexed document's characters at a span; `None` where it has no such place."""


def check(cited: Cited, text_at: TextAt) -> Cited:
    """Only the citations whose quote stands where they say.

    The claim of any other counts as unsupported, unless another citation is left to it.
    """
    checked = (_checked(one, text_at(one.span)) for one in cited.citations)
    kept = tuple(one for one in checked if one is not None)
    left = {one.claim for one in kept}
    lost = {one.claim for one in cited.citations} - left
    unsupported = sorted({*cited.unsupported, *lost}, key=lambda claim: claim.start)
    return replace(cited, citations=kept, unsupported=tuple(unsupported))


def _checked(citation: Citation, text: str | None) -> Citation | None:
    if text is None or text.split() != citation.quote.split():
        return None
    return replace(citation, quote=text)


def text_of(passages: Iterable[Stretch]) -> TextAt:
    """Documents as far as passages hold them: for collections that keep no whole text."""
    held: dict[str, list[Stretch]] = {}
    for passage in passages:
        held.setdefault(passage.span.document, []).append(passage)

    def text_at(span: Span) -> str | None:
        for passage in held.get(span.document, ()):
            if passage.span.start <= span.start and span.end <= passage.span.end:
                start = passage.span.start
                return passage.text[span.start - start : span.end - start]
        return None

    return text_at

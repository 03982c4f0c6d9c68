"""Looks passages up and puts them before requests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from glob import escape

from accordeur.core.answer import Retrieved, Source
from accordeur.core.candidate import Candidate
from accordeur.core.model import ModelSource
from accordeur.core.rendering import Request
from accordeur.core.span import Span
from accordeur.documents.passage import Filter, Found
from accordeur.documents.ranking.several import search_several
from accordeur.parts.decoding import Decoding
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval.packing import CountTokens, Packed, pack
from accordeur.parts.retrieval.part import Retrieval
from accordeur.parts.retrieval.queries import question_of
from accordeur.parts.retrieval.query_writer import QueryWriter, Sought


@dataclass(frozen=True, slots=True)
class Looked:
    """A request and what was looked up for it.

    Attributes:
        request: with the passages before its own context.
        found: by the search, best first.
        packed: what of it is shown.
        sought: what was searched for.
    """

    request: Request
    found: tuple[Found, ...]
    packed: Packed
    sought: Sought

    @property
    def retrieved(self) -> Retrieved:
        """As an answer tells it."""
        sources = tuple(Source(one.span, one.score, one.page) for one in self.packed.shown)
        return Retrieved(sources, len(self.found), self.packed.dropped)


class Retriever:
    """Searches for a part.

    Args:
        part: what is searched, and how.
        source: gives the embedding model and the reranker.
        writer: writes queries, for a part that has them written.

    Raises:
        ValueError: the part has queries written, and nobody writes.
    """

    def __init__(
        self, part: Retrieval, source: ModelSource, writer: QueryWriter | None = None
    ) -> None:
        if part.queries is not None and writer is None:
            raise ValueError("a part that has queries written needs a writer")
        self._part = part
        self._source = source
        self._writer = writer

    def forget(self) -> None:
        """Drop what writing queries left in the model's memory; the index stays open."""
        if self._writer is not None:
            self._writer.forget()

    def seek(self, requests: Sequence[Request]) -> list[Sought]:
        """What is searched for each request."""
        if self._part.queries is None or self._writer is None:
            return [Sought.itself(one) for one in requests]
        return self._writer.write(requests)

    def find(
        self,
        requests: Sequence[Request],
        k: int | None = None,
        sought: Sequence[Sought] | None = None,
    ) -> list[tuple[Found, ...]]:
        """What a search gives for each request, all of them searched together.

        A request that names documents is answered from those; one that asks nothing finds nothing.

        Args:
            requests: any number.
            k: passages of each; by default as many as the part looks up.
            sought: what is searched for each, where that is known.

        Raises:
            ModelError: the embedding model or the reranker is not here.
        """
        sought = self.seek(requests) if sought is None else sought
        found: list[tuple[Found, ...]] = [()] * len(requests)
        among: dict[tuple[str, ...], list[int]] = {}
        for at, request in enumerate(requests):
            if question_of(request).strip():
                among.setdefault(request.documents, []).append(at)
        part = self._part
        if not part.collection.passages or not among:
            return found
        opened = part.opened(self._source)
        for documents, places in among.items():
            hits = search_several(
                opened,
                [sought[at].texts for at in places],
                k or part.k,
                ranking=part.ranking,
                where=self._where(documents),
            )
            for at, hit in zip(places, hits, strict=True):
                found[at] = tuple(hit)
        return found

    def _where(self, documents: tuple[str, ...]) -> Filter | None:
        """Those documents; a name that none has is a pattern."""
        known = self._part.collection.documents
        names = tuple(escape(name) if name in known else name for name in documents)
        return Filter(names) if names else None

    def look(
        self,
        requests: Sequence[Request],
        rooms: Sequence[int],
        count_tokens: CountTokens,
        gold: Sequence[Sequence[Span]] = (),
        sought: Sequence[Sought] | None = None,
    ) -> list[Looked]:
        """Each request with its passages before it.

        Args:
            requests: any number.
            rooms: tokens that are left beside each.
            count_tokens: of the model that reads them.
            gold: for training rows, where the answer stands; see `Retrieval.gold`.
            sought: what is searched for each, where that is known.
        """
        sought = self.seek(requests) if sought is None else sought
        found = self.find(requests, sought=sought)
        if gold:
            found = [
                self._with_gold(request, hits, spans)
                for request, hits, spans in zip(requests, found, gold, strict=True)
            ]
        return [
            replace(looked, sought=one)
            for looked, one in zip(
                self.put(requests, found, rooms, count_tokens), sought, strict=True
            )
        ]

    def put(
        self,
        requests: Sequence[Request],
        found: Sequence[Sequence[Found]],
        rooms: Sequence[int],
        count_tokens: CountTokens,
    ) -> list[Looked]:
        """Each request with passages that are given, as `look`."""
        looked = []
        for request, hits, room in zip(requests, found, rooms, strict=True):
            packed = pack(hits, max(0, min(room, self._part.tokens)), count_tokens)
            itself = Sought.itself(request)
            looked.append(Looked(with_passages(request, packed), tuple(hits), packed, itself))
        return looked

    def _with_gold(
        self, request: Request, found: tuple[Found, ...], spans: Sequence[Span]
    ) -> tuple[Found, ...]:
        """A passage that holds the answer in place of one that was found, where none does.

        The share of rows and the place among the passages are drawn from the row's name, so a row
        is shown the same at every step.
        """
        drawn = hashlib.sha256((request.row or question_of(request)).encode()).digest()
        if not spans or drawn[0] >= 256 * self._part.gold or holds(found, spans):
            return found
        best = max(
            self._part.collection.passages,
            key=lambda one: (sum(one.span.overlap(span) for span in spans), -one.number),
            default=None,
        )
        if best is None or not any(best.span.overlap(span) for span in spans):
            return found
        place = drawn[1] % max(1, len(found))
        score = found[place].score if found else 0.0
        return (*found[:place], Found(best, score), *found[place + 1 :])


def with_passages(request: Request, packed: Packed) -> Request:
    """The request with passages before its own context."""
    pieces = [piece for piece in (packed.text, request.context) if piece]
    return replace(request, context="\n\n".join(pieces) or None)


def holds(found: Sequence[Found], spans: Sequence[Span]) -> bool:
    """Whether some passage has a character of some span."""
    return any(one.passage.span.overlap(span) for one in found for span in spans)


def told_of_passages(candidate: Candidate, words: str, *, quote: bool = False) -> Candidate:
    """The candidate that is shown requests with passages: no retrieval, its words in the prompt.

    Args:
        candidate: with or without the part.
        words: told of passages.
        quote: its answers are stretches of them, unless it reasons or votes before it answers.
    """
    prompt = candidate.part(Prompt) or Prompt(candidate.task.instruction)
    instruction = " ".join(piece for piece in (prompt.instruction, words) if piece)
    plain = candidate.without("retrieval")
    decoding = plain.part(Decoding) or Decoding("generate")
    if quote and decoding.samples == 1 and "pattern" not in plain.parts:
        plain = plain.with_part(replace(decoding, mode="quote"))
    return plain.with_part(replace(prompt, instruction=instruction))

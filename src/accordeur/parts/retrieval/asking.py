"""Questions to documents that stand outside of a candidate: what is looked up and shown with them.

The slot `retrieval` is for a candidate that was measured with its documents. Here any candidate is
asked about any collection: the same packer, the same delimiters, the same place in the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.rendering import Request
from accordeur.core.span import Span
from accordeur.documents.citations import Cited, TextAt, check, cite
from accordeur.documents.citations.support import Embed
from accordeur.documents.passage import Filter, Ranking, Searchable
from accordeur.documents.ranking.several import search_several
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.memory.conversing import prompt_room
from accordeur.parts.prompt import Prompt
from accordeur.parts.retrieval.packing import Packed, pack
from accordeur.parts.retrieval.part import TOKENS, WORDS, Retrieval
from accordeur.parts.retrieval.query_writer import QueryWriter, Sought
from accordeur.parts.retrieval.retriever import (
    Looked,
    told_of_passages,
    with_passages,
)

Stands = Callable[[Span], tuple[int | None, tuple[str, ...]]]

K = 5
"""Passages that are looked up."""

INSTRUCTION = "Answer the question in one short sentence."
"""Of a model that has none; small ones lose their way in longer answers."""

MARKS = "Put the number of its passage behind it, such as [1]."
"""Asked of models that can do it: small ones lose more answers than they set marks."""

TEMPLATE = "{% if context %}{{ context }}\n\nQuestion: {% endif %}{{ input }}"
"""How passages and question are laid out for a model without a template of its own."""


@dataclass(frozen=True, slots=True)
class Search:
    """How passages are looked up.

    Attributes:
        k: how many.
        ranking: the collection's own where it is not given.
        where: which documents.
        tokens: that they may take of the prompt, delimiters included.
        writer: writes what is searched for; without it that is the question.
    """

    k: int = K
    ranking: Ranking | None = None
    where: Filter = field(default_factory=Filter)
    tokens: int = TOKENS
    writer: QueryWriter | None = None


def reader(candidate: Candidate, *, bare: bool, marks: bool) -> Candidate:
    """The candidate as it is asked about documents that are not its own.

    Args:
        candidate: any that has a language model; its own documents are left aside.
        bare: it is a model without a measured prompt: its layout and, where it has none, its
            instruction are those of this module.
        marks: ask it to say by numbers where it has an answer from.
    """
    own = candidate.parts.get("retrieval")
    words = own.words if isinstance(own, Retrieval) else WORDS
    if marks:
        words = f"{words} {MARKS}"
    if bare:
        prompt = candidate.part(Prompt) or Prompt("")
        told = prompt.instruction or INSTRUCTION
        candidate = candidate.with_part(replace(prompt, instruction=told, template=TEMPLATE))
    quote = isinstance(own, Retrieval) and own.quote
    return told_of_passages(candidate, words, quote=quote)


def look_up(
    collection: Searchable,
    requests: Sequence[Request],
    answerer: Answerer,
    search: Search,
    questions: Sequence[str] = (),
) -> list[Looked]:
    """What is found for each request, and the request with what is shown of it.

    Args:
        collection: what is searched.
        requests: any number.
        answerer: is to read them.
        search: how.
        questions: what is looked up for each where no queries are written; by default its input, of
            a conversation the last turn.

    Raises:
        ModelError: no language model answers, or a question leaves no room for a passage.
    """
    model = answerer.model
    if model is None:
        raise ModelError(
            "What answers here is no language model, and reads no passages.",
            hint="-m local/smollm2",
        )
    sought = _sought(requests, search.writer, questions)
    asked = [at for at, one in enumerate(sought) if one.texts[0].strip()] if len(collection) else []
    texts = [sought[at].texts for at in asked]
    hits = search_several(collection, texts, search.k, ranking=search.ranking, where=search.where)
    found = dict(zip(asked, hits, strict=True))
    whole = prompt_room(answerer)
    looked = []
    for at, request in enumerate(requests):
        alone = answerer.render([replace(request, context="[]")])[0]
        room = min(search.tokens, whole - model.prompt_tokens(alone)[0])
        if room <= 0:
            raise ModelError(
                f"The question leaves no room for passages: {whole:,} tokens fit in all.",
                hint="ask in fewer words",
            )
        packed = pack(found.get(at, []), room, model.count_tokens)
        hit = tuple(found.get(at, ()))
        looked.append(Looked(with_passages(request, packed), hit, packed, sought[at]))
    return looked


def _sought(
    requests: Sequence[Request], writer: QueryWriter | None, questions: Sequence[str]
) -> list[Sought]:
    """What is searched for."""
    if writer is not None:
        return writer.write(requests)
    if questions:
        return [Sought((text,)) for text in questions]
    return [Sought.itself(one) for one in requests]


def likeness(looked: Looked) -> float | None:
    """Cosine of the question and its nearest passage; `None` where vectors were not asked."""
    return max((one.dense for one in looked.found if one.dense is not None), default=None)


def citations(
    question: str,
    answer: str,
    packed: Packed,
    text_at: TextAt,
    embed: Embed | None = None,
    stands: Stands | None = None,
) -> Cited:
    """The citations of an answer, each checked against the collection's documents.

    Args:
        question: that was asked.
        answer: the model's.
        packed: what it was shown.
        text_at: the documents.
        embed: of the collection.
        stands: page and headings of a place, of which a stretch knows those of its beginning.
    """
    cited = check(cite(question, answer, packed.shown, embed=embed), text_at)
    if stands is None:
        return cited
    told = ((one, *stands(one.span)) for one in cited.citations)
    placed = (replace(one, page=page, headings=titles) for one, page, titles in told)
    return replace(cited, citations=tuple(placed))

"""A question to documents that stand outside of a candidate: what is looked up and shown with it.

The slot `retrieval` is for a candidate that was measured with its documents. Here any candidate is
asked about any collection: passages go where a row's `context` goes (DESIGN P3), between the same
delimiters, chosen by the same packer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from accordeur.core.errors import ModelError
from accordeur.core.rendering import Request
from accordeur.documents.citations import Cited, TextAt, check, cite
from accordeur.documents.passage import Filter, Found, Ranking, Searchable
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.memory.conversing import prompt_room
from accordeur.parts.retrieval.abstention import Signals, signals_of
from accordeur.parts.retrieval.packing import Packed, pack
from accordeur.parts.retrieval.part import TOKENS, WORDS

INSTRUCTION = f"{WORDS} Answer in one short sentence."
"""What a model without instructions of its own is told."""

MARKS = "Put the number of its passage behind it, such as [1]."
"""Asked of models that can: small ones lose more answers than they set marks."""

TEMPLATE = "{% if context %}{{ context }}\n\nQuestion: {% endif %}{{ input }}"
"""How passages and question are laid out for it."""

K = 5
"""Passages that are looked up."""


@dataclass(frozen=True, slots=True)
class Search:
    """How passages are looked up.

    Attributes:
        k: how many.
        ranking: the collection's own where it is not given.
        where: which documents.
        tokens: that they may take of the prompt, delimiters included.
    """

    k: int = K
    ranking: Ranking | None = None
    where: Filter = field(default_factory=Filter)
    tokens: int = TOKENS


@dataclass(frozen=True, slots=True)
class Sought:
    """A question and what was found for it.

    Attributes:
        question: as it was asked.
        found: best first.
        packed: what is shown of it.
    """

    question: str
    found: tuple[Found, ...]
    packed: Packed

    @property
    def request(self) -> Request:
        """What a candidate is asked."""
        return Request(self.question, self.packed.text or None)

    @property
    def likeness(self) -> float | None:
        """Cosine of the question and its nearest passage; `None` where vectors were not asked."""
        return max((one.dense for one in self.found if one.dense is not None), default=None)

    def signals(self, answer: str, logprob: float | None) -> Signals:
        """What an estimate of being right is made of."""
        return signals_of(self.question, answer, logprob, self.found, self.packed.text)

    def cite(self, answer: str, text_at: TextAt) -> Cited:
        """The citations of an answer, each checked against the collection's documents."""
        return check(cite(self.question, answer, self.packed.shown), text_at)


def look_up(
    collection: Searchable, questions: Sequence[str], answerer: Answerer, search: Search
) -> list[Sought]:
    """What is found and shown for each question.

    Args:
        collection: what is searched.
        questions: each at least one character.
        answerer: is to read the passages beside the question.
        search: how.

    Raises:
        ModelError: the candidate has no language model, or a question leaves no room for a passage.
    """
    model = answerer.model
    if model is None:
        raise ModelError(
            "A candidate without a language model reads no passages.", hint="-m local/smollm2"
        )
    found = collection.search(questions, search.k, ranking=search.ranking, where=search.where)
    whole = prompt_room(answerer)
    sought = []
    for question, passages in zip(questions, found, strict=True):
        prompt = answerer.render([Request(question, "[]")])[0]
        room = min(search.tokens, whole - model.prompt_tokens(prompt)[0])
        if room <= 0:
            raise ModelError(
                f"The question leaves no room for passages: {whole:,} tokens fit in all.",
                hint="ask in fewer words",
            )
        sought.append(Sought(question, tuple(passages), pack(passages, room, model.count_tokens)))
    return sought

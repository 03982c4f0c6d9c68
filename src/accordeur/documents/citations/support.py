"""How well a sentence of a passage supports what an answer says to a question.

    support    share of the answer's own words (those the question did not bring) in the sentence
    relevance  share of the question's words in the sentence, less for those that stand around it:
               in the neighbouring sentences, in the headings, in the document's name

    likeness   cosine of the sentence and of question and claim together, where something embeds

Words are weighted by how few of the sentences have them. The best sentence is the one of the
highest `ANSWER * support + (1 - ANSWER) * relevance + LIKENESS * likeness`; a passage that was
found later loses by a hair, so that ties go to the better passage. Likeness chooses among sentences
and never makes a claim supported. Measured in `benchmarks/quality/citations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from accordeur.core.model import FloatArray
from accordeur.documents.citations.citation import Stretch
from accordeur.documents.citations.sentences import sentence_spans
from accordeur.documents.citations.wording import Words, share, weights, words

Embed = Callable[[Sequence[str]], FloatArray]
"""Unit vectors of texts, float32 [texts, d]."""

ANSWER = 0.6
AROUND = 0.5
LIKENESS = 0.4
HAIR = 0.01

TELLING = words("the answer is, according to the passages, based on the information provided")
"""What answers say of themselves; no document has to hold it."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage.

    Attributes:
        passage: number of its passage, from 0, in the order given.
        start, end: its characters in the passage.
        words: of the sentence.
        around: of its neighbours and headings.
    """

    passage: int
    start: int
    end: int
    words: Words
    around: Words


@dataclass(frozen=True, slots=True)
class Supported:
    """A sentence and how well it supports a claim; see the module.

    Attributes:
        support: 0 to 1; of a claim that adds no word to its question, the relevance.
        score: by which sentences are ordered.
    """

    sentence: Sentence
    support: float
    score: float


def sentences_of(passages: Sequence[Stretch]) -> list[Sentence]:
    """The sentences of all passages, in order."""
    return [one for number, passage in enumerate(passages) for one in _cut(number, passage)]


def _cut(number: int, passage: Stretch) -> Iterator[Sentence]:
    spans = list(sentence_spans(passage.text))
    held = [words(passage.text[start:end]) for start, end in spans]
    above = words(" ".join((passage.span.document, *passage.headings)))
    for place, (start, end) in enumerate(spans):
        before = held[place - 1] if place else frozenset()
        after = held[place + 1] if place + 1 < len(held) else frozenset()
        if held[place]:
            yield Sentence(number, start, end, held[place], above | before | after)


class Supporters:
    """Finds the best sentence for each claim of an answer.

    Args:
        question: that was asked.
        passages: the answer was written from, best first.
        embed: for likeness; without it words alone decide.
    """

    def __init__(
        self, question: str, passages: Sequence[Stretch], embed: Embed | None = None
    ) -> None:
        self.sentences = sentences_of(passages)
        self._question = question
        self._embed = embed
        self._texts = [passages[one.passage].text[one.start : one.end] for one in self.sentences]
        self._vectors: dict[int, FloatArray] = {}
        self._asked = words(question)
        self._weight: Mapping[str, float] = weights(one.words for one in self.sentences)

    def best(self, claim: str, passage: int | None = None, floor: float = 0.0) -> Supported | None:
        """The best sentence for a claim; `None` where none reaches the floor.

        Args:
            claim: a sentence of the answer.
            passage: the one in which it is looked for; all where it is not given.
            floor: least support.
        """
        own = words(claim) - self._asked - TELLING
        rated = [
            (at, one)
            for at, sentence in enumerate(self.sentences)
            if passage is None or sentence.passage == passage
            if (one := self._rate(sentence, own)).support >= floor
        ]
        if self._embed is not None and len(rated) > 1:
            alike = self._likeness(claim, [at for at, _ in rated])
            rated = [
                (at, replace(one, score=one.score + LIKENESS * like))
                for (at, one), like in zip(rated, alike, strict=True)
            ]
        return max((one for _, one in rated), key=lambda one: one.score, default=None)

    def _likeness(self, claim: str, places: Sequence[int]) -> Sequence[float]:
        """Of some sentences; each is embedded once."""
        assert self._embed is not None
        new = [at for at in places if at not in self._vectors]
        (asked, *made) = self._embed(
            [f"{self._question} {claim}", *(self._texts[at] for at in new)]
        )
        self._vectors.update(zip(new, made, strict=True))
        return [float(self._vectors[at] @ asked) for at in places]

    def _rate(self, sentence: Sentence, own: Words) -> Supported:
        here = share(self._asked, sentence.words, self._weight)
        near = share(self._asked, sentence.words | sentence.around, self._weight)
        relevance = (1 - AROUND) * here + AROUND * near
        support = share(own, sentence.words, self._weight) if own else relevance
        score = ANSWER * support + (1 - ANSWER) * relevance - HAIR * sentence.passage
        return Supported(sentence, support, score)

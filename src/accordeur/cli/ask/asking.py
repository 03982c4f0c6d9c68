"""From a question to an answer with checked citations. It knows no terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from accordeur.core.answer import Answer, Status
from accordeur.documents.citations import Cited

if TYPE_CHECKING:
    from accordeur.cli.ask.collection import Asked
    from accordeur.parts.answering.answerer import Answerer
    from accordeur.parts.retrieval.abstention import Confidence
    from accordeur.parts.retrieval.asking import Search
    from accordeur.parts.retrieval.retriever import Looked

NOTHING = "no passage was found"


@dataclass(frozen=True, slots=True)
class Caution:
    """When an answer is not given.

    Attributes:
        confidence: estimates whether an answer is right; `None` where nothing was learned.
        threshold: estimate under which an answer is withheld.
        min_score: likeness of question and nearest passage (cosine; without vectors BM25) under
            which nothing is asked, set by hand.
    """

    confidence: Confidence | None = None
    threshold: float | None = None
    min_score: float | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with what became of it.

    Attributes:
        question: as it was asked.
        looked: what was found, and what the model was shown.
        answer: its status says whether it was given; its text is what the model wrote.
        cited: of an answer that was given.
        withheld: why it was not, in words; empty where it was.
    """

    question: str
    looked: Looked
    answer: Answer
    cited: Cited = field(default_factory=Cited)
    withheld: str = ""


class Asker:
    """Asks one candidate about one collection.

    Args:
        asked: the collection.
        answerer: of a candidate that reads passages (`parts.retrieval.asking.reader`).
        search: how passages are looked up.
        caution: when to abstain.
    """

    def __init__(self, asked: Asked, answerer: Answerer, search: Search, caution: Caution) -> None:
        self.asked = asked
        self.answerer = answerer
        self.search = search
        self.caution = caution

    @property
    def may_withhold(self) -> bool:
        """An answer can be withheld after it is written, so it cannot be shown as it comes."""
        return self.caution.confidence is not None and self.caution.threshold is not None

    def look(self, questions: Sequence[str]) -> list[Looked]:
        """What is found for each question. Errors as `parts.retrieval.asking.look_up`."""
        from accordeur.core.rendering import Request
        from accordeur.parts.retrieval.asking import look_up

        requests = [Request(one) for one in questions]
        return look_up(self.asked.searchable, requests, self.answerer, self.search)

    def refusal(self, looked: Looked) -> str:
        """Why a question is not even put to the model; empty where it is."""
        if not looked.packed.shown:
            return NOTHING
        least = self.caution.min_score
        if least is None:
            return ""
        from accordeur.parts.retrieval.asking import likeness

        score = likeness(looked)
        kind = "cosine"
        if score is None:
            kind = "BM25"
            score = max((one.lexical or 0.0 for one in looked.found), default=0.0)
        if score >= least:
            return ""
        return f"the nearest passage has a {kind} of {score:.2f}, under the {least:g} set by hand"

    def answer(self, questions: Sequence[str], looked: Sequence[Looked]) -> Iterator[Answered]:
        """Answers in the order they come; those that are refused first.

        Args:
            questions: as they were asked.
            looked: what was found for each.
        """
        why = [self.refusal(one) for one in looked]
        for question, found, reason in zip(questions, looked, why, strict=True):
            if reason:
                yield Answered(question, found, Answer("", Status.ABSTAINED), withheld=reason)
        places = [at for at, reason in enumerate(why) if not reason]
        requests = [looked[at].request for at in places]
        for batch in self.answerer.answer(requests) if requests else ():
            for index, answer in zip(batch.indices, batch.results, strict=True):
                at = places[index]
                yield self.judged(questions[at], looked[at], answer)

    def judged(self, question: str, looked: Looked, answer: Answer) -> Answered:
        """An answer with its citations, or withheld; what writing queries took is part of it."""
        answer = looked.sought.told(answer)
        if answer.status is Status.ERROR:
            return Answered(question, looked, answer)
        caution = self.caution
        if caution.confidence is not None:
            from accordeur.parts.answering.retrieving import answer_signals

            sure = caution.confidence.probability(answer_signals(looked.request, looked, answer))
            answer = replace(answer, confidence=sure)
            if caution.threshold is not None and sure < caution.threshold:
                reason = (
                    f"it is right with a probability of {sure:.0%}, under {caution.threshold:.0%}"
                )
                return Answered(
                    question, looked, replace(answer, status=Status.ABSTAINED), withheld=reason
                )
        from accordeur.parts.retrieval.asking import citations

        asked = self.asked
        cited = citations(
            question, answer.text, looked.packed, asked.text_at, asked.embed, asked.stands
        )
        return Answered(question, looked, answer, cited)

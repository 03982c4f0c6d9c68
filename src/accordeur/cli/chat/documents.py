"""Documents that a conversation is held over: passages for a question, citations of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accordeur.cli.ask.collection import Asked
    from accordeur.core.rendering import Request
    from accordeur.documents.citations import Cited
    from accordeur.parts.answering.answerer import Answerer
    from accordeur.parts.retrieval.asking import Search
    from accordeur.parts.retrieval.retriever import Looked


@dataclass(frozen=True, slots=True)
class Documents:
    """A collection as a conversation uses it.

    Attributes:
        asked: the collection.
        search: how passages are looked up.
    """

    asked: Asked
    search: Search

    def reserved(self, room: int) -> int:
        """Tokens that are kept free of earlier messages: at most half of the room."""
        return min(self.search.tokens, room // 2)

    def look(self, request: Request, question: str, answerer: Answerer) -> Looked:
        """The request with passages for its question.

        Args:
            request: earlier messages included.
            question: what is looked up.
            answerer: is to read it.

        Raises:
            ModelError: the question leaves no room for a passage.
        """
        from accordeur.parts.retrieval.asking import look_up

        return look_up(self.asked.searchable, [request], answerer, self.search, [question])[0]

    def cite(self, question: str, answer: str, looked: Looked) -> Cited:
        """The citations of an answer, checked."""
        from accordeur.parts.retrieval.asking import citations

        asked = self.asked
        return citations(question, answer, looked.packed, asked.text_at, asked.embed, asked.stands)

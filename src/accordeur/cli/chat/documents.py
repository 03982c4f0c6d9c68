"""Documents that a conversation is held over: passages for a question, citations of an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from accordeur.core.errors import ModelError

if TYPE_CHECKING:
    from accordeur.cli.ask.collection import Asked
    from accordeur.cli.chat.respondent import Respondent
    from accordeur.core.rendering import Request
    from accordeur.documents.citations import Cited
    from accordeur.parts.retrieval.asking import Search
    from accordeur.parts.retrieval.retriever import Looked


@dataclass(frozen=True, slots=True)
class Documents:
    """A collection as a conversation uses it.

    Attributes:
        asked: the collection.
        search: how passages are looked up.
        rewrite: the model writes what is searched for, from the conversation.
    """

    asked: Asked
    search: Search
    rewrite: bool = False

    def reserved(self, room: int) -> int:
        """Tokens that are kept free of earlier messages: at most half of the room."""
        return min(self.search.tokens, room // 2)

    def look(self, request: Request, question: str, respondent: Respondent) -> Looked:
        """The request with passages for its question.

        Args:
            request: earlier messages included.
            question: what is looked up.
            respondent: is to read it, and writes queries.

        Raises:
            ModelError: the question leaves no room for a passage, or no query could be had.
        """
        from accordeur.parts.retrieval.asking import look_up
        from accordeur.parts.retrieval.query_writer import QueryWriter

        search = self.search
        model = respondent.base_model() if self.rewrite else None
        if model is not None:
            search = replace(search, writer=QueryWriter("rewrite", model))
        searchable, answerer = self.asked.searchable, respondent.answerer
        looked = look_up(searchable, [request], answerer, search, [question])[0]
        if looked.sought.error:
            raise ModelError(looked.sought.error, hint="/retry asks again")
        return looked

    def cite(self, question: str, answer: str, looked: Looked) -> Cited:
        """The citations of an answer, checked."""
        from accordeur.parts.retrieval.asking import citations

        asked = self.asked
        return citations(question, answer, looked.packed, asked.text_at, asked.embed, asked.stands)

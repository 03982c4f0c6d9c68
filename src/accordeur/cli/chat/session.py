"""A conversation with somebody who answers: what is asked, kept, undone. It knows no terminal.

A question is written down before it is asked and an answer as soon as it is complete, so nothing is
lost when the process dies. What is undone or asked again stays in the store, marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accordeur.core.errors import AccordeurError, ModelError, UsageError
from accordeur.core.streaming import Streamed

if TYPE_CHECKING:
    from accordeur.cli.chat.documents import Documents
    from accordeur.cli.chat.respondent import Respondent, Respondents
    from accordeur.cli.chat.screen import Screen
    from accordeur.core.rendering import Request
    from accordeur.documents.citations import Cited
    from accordeur.parts.memory import Exchange, Memory, Remembered
    from accordeur.parts.memory.kept import KeptSummaries, KeptVectors
    from accordeur.parts.retrieval.retriever import Looked
    from accordeur.store.conversation import Conversation, StoredExchange
    from accordeur.store.conversations import ConversationStore


@dataclass(frozen=True, slots=True)
class Settings:
    """What a conversation is begun with, or was held with.

    Attributes:
        system: its own system message.
        title: given by the user; empty for the start of the first question.
        memory: chosen by the user; `None` is the default of whoever answers.
    """

    system: str = ""
    title: str = ""
    memory: Memory | None = None


class ChatSession:
    """One conversation.

    Args:
        store: where it is kept.
        respondents: who may answer.
        respondent: who answers now.
        screen: shows answers as they come.
        settings: of a conversation that is begun with the first question.
        conversation: one that goes on.
        documents: passages of which are put before each question.

    Attributes:
        cited: citations of the last answer in this session; `None` before it.
    """

    def __init__(
        self,
        store: ConversationStore,
        respondents: Respondents,
        respondent: Respondent,
        screen: Screen,
        settings: Settings,
        conversation: Conversation | None = None,
        documents: Documents | None = None,
    ) -> None:
        self.store = store
        self.respondents = respondents
        self.respondent = respondent
        self.screen = screen
        self.settings = settings
        self.key = conversation.id if conversation is not None else ""
        self.leaving = False
        self.failures = 0
        self.documents = documents
        self.cited: Cited | None = None
        self._looked: Looked | None = None
        self._notes: tuple[KeptSummaries, KeptVectors] | None = None

    @property
    def memory(self) -> Memory:
        """What chooses among earlier messages."""
        from accordeur.parts.memory import default_memory

        return self.settings.memory or default_memory(self.respondent.candidate)

    def exchanges(self) -> list[StoredExchange]:
        """Questions that count, with their answers."""
        from accordeur.store.conversation import exchanges

        return exchanges(self.store.turns(self.key)) if self.key else []

    def last(self) -> StoredExchange:
        """The last question and its answer.

        Raises:
            UsageError: nothing was asked yet.
        """
        found = self.exchanges()
        if not found:
            raise UsageError("Nothing was asked yet.", hint="type a message")
        return found[-1]

    def ask(self, text: str) -> None:
        """Ask, show and keep the answer.

        Raises:
            AccordeurError: there is no answer; the question is kept without one.
            KeyboardInterrupt: it was stopped; what there was of the answer is kept, marked cut.
        """
        self.begin()
        question = self.store.ask(self.key, text, tokens=self.respondent.count_tokens(text))
        self._answer(question, text, again=0)

    def retry(self) -> None:
        """Ask the last question again; the answer it had is superseded. Errors as `ask`."""
        question = self.last().question
        before = sum(turn.answers == question.id for turn in self.store.turns(self.key))
        self._answer(question.id, question.text, again=before)

    def edit(self, text: str) -> None:
        """Ask something else in the place of the last question. Errors as `ask`."""
        self.undo()
        self.ask(text)

    def undo(self) -> str:
        """Take back the last question and its answer; the question.

        Raises:
            UsageError: nothing was asked yet.
        """
        last = self.last()
        turns = [last.question] if last.answer is None else [last.question, last.answer]
        self.store.supersede([turn.id for turn in turns])
        return last.question.text

    def use(self, named: str) -> None:
        """Let somebody else answer from here on."""
        self.respondent = self.respondents.find(named, first=False)
        if self.key:
            self.store.change(
                self.key, candidate=(self.respondent.reference, self.respondent.digest)
            )

    def remember_with(self, memory: Memory) -> None:
        """Choose among earlier messages in another way."""
        from accordeur.parts.memory import settings_of

        self.settings = Settings(self.settings.system, self.settings.title, memory)
        if self.key:
            self.store.change(self.key, memory=settings_of(memory))

    def set_system(self, text: str) -> None:
        """Another system message for this conversation; empty takes it away."""
        self.settings = Settings(text, self.settings.title, self.settings.memory)
        if self.key:
            self.store.change(self.key, system=text)

    def set_title(self, text: str) -> None:
        """Another title."""
        self.settings = Settings(self.settings.system, text, self.settings.memory)
        if self.key:
            self.store.change(self.key, title=text)

    def request(self, text: str, *, before: int | None = None) -> tuple[Request, Remembered]:
        """What is asked for a text, passages of documents included.

        Args:
            text: the question.
            before: id of the question's turn; only exchanges before it are remembered.
        """
        from accordeur.parts.memory.conversing import next_request, prompt_room

        summaries, vectors = self._kept()
        answerer, documents = self.respondent.answerer, self.documents
        reserved = 0
        if documents is not None and answerer.model is not None:
            reserved = documents.reserved(prompt_room(answerer))
        request, remembered = next_request(
            self.memory,
            self._earlier(before),
            text,
            answerer,
            embed=vectors,
            summaries=summaries,
            system=self.settings.system,
            reserved=reserved,
        )
        if documents is None:
            return request, remembered
        self._looked = documents.look(request, text, self.respondent)
        return self._looked.request, remembered

    def begin(self) -> None:
        """Write the conversation down, unless it is."""
        if self.key:
            return
        from accordeur.parts.memory import settings_of

        memory = self.settings.memory
        made = self.store.begin(
            self.respondent.reference,
            self.respondent.digest,
            system=self.settings.system,
            memory=settings_of(memory) if memory is not None else None,
        )
        self.key = made.id
        if self.settings.title:
            self.store.change(self.key, title=self.settings.title)

    def _earlier(self, before: int | None) -> list[Exchange]:
        from accordeur.parts.memory import Exchange

        shown = {label.name: label.text for label in self.respondent.labels}
        return [
            Exchange(one.question.text, shown.get(one.answer.text, one.answer.text))
            for one in self.exchanges()
            if one.answer is not None and (before is None or one.question.id < before)
        ]

    def _kept(self) -> tuple[KeptSummaries, KeptVectors]:
        from accordeur.parts.memory.kept import KeptSummaries, KeptVectors

        self.begin()
        if self._notes is None:
            models = self.respondents.models()
            self._notes = (
                KeptSummaries(self.store, self.key),
                KeptVectors(self.store, self.key, models.embedder, self.screen.note),
            )
        return self._notes

    def _answer(self, question: int, text: str, *, again: int) -> None:
        from accordeur.parts.answering.answerer import StreamingAnswerer
        from accordeur.parts.memory.conversing import prompt_room

        request, remembered = self.request(text, before=question)
        answerer = self.respondent.answerer
        if remembered.dropped and answerer.model is not None:
            self.screen.remembered(self.memory, remembered, prompt_room(answerer))
        if not remembered.kept:
            self._warn_of_length(request)
        details: dict[str, Any] = {"memory": remembered.to_json()}
        self._tell_of_search(details)
        self.cited = None
        if isinstance(answerer, StreamingAnswerer) and not self.respondent.labels:
            self._stream(Streamed(answerer.stream(request, again=again)), question, details)
        else:
            self._whole(request, question, details)

    def _stream(self, streamed: Streamed, question: int, details: dict[str, Any]) -> None:
        said: list[str] = []
        try:
            for piece in streamed:
                said.append(piece)
                self.screen.piece(piece)
        except (KeyboardInterrupt, AccordeurError):
            self._keep(question, "".join(said), details, cut=True)
            raise
        finally:
            streamed.close()
            if said:
                self.screen.end_answer()
        text = "".join(said)
        if not text.strip():
            self.screen.note("The answer is empty.")
        if streamed.whole is not None and not streamed.whole.finished:
            self._note_limit()
        self._cite(text, details)
        self._keep(question, text, details)

    def _note_limit(self) -> None:
        from accordeur.parts.answering.texts import text_sampling

        limit = text_sampling(self.respondent.candidate).max_tokens
        self.screen.note(f"(stopped at {limit:,} tokens; --max-tokens allows more)")

    def _warn_of_length(self, request: Request) -> None:
        """Say that a message does not fit; an endpoint says so itself."""
        from accordeur.parts.memory.conversing import prompt_room

        answerer = self.respondent.answerer
        if answerer.model is None or self.respondent.remote:
            return
        tokens, _ = answerer.model.prompt_tokens(answerer.render([request])[0])
        room = prompt_room(answerer)
        if tokens > room:
            self.screen.note(
                f"The message makes a prompt of {tokens:,} tokens, and {room:,} fit: "
                "demonstrations are dropped first, then its start is cut."
            )

    def _whole(self, request: Request, question: int, details: dict[str, Any]) -> None:
        answers = [
            one for batch in self.respondent.answerer.answer([request]) for one in batch.results
        ]
        answer = answers[0]
        if answer.status == "error":
            raise ModelError(answer.error or "There is no answer.", hint="/retry asks again")
        labels = self.respondent.labels
        if answer.probabilities is not None:
            names = [label.name for label in labels]
            details["probabilities"] = dict(zip(names, answer.probabilities, strict=True))
        details["status"] = str(answer.status)
        self.screen.answer(answer, labels)
        self._cite(answer.text, details)
        self._keep(question, answer.label or answer.text, details)

    def _cite(self, text: str, details: dict[str, Any]) -> None:
        """Find, show and note the citations of an answer."""
        documents, looked = self.documents, self._looked
        if documents is None or looked is None:
            return
        question = self.last().question.text
        self.cited = documents.cite(question, text, looked)
        self.screen.cited(self.cited, documents.asked, found=bool(looked.packed.shown))
        details["citations"] = [one.to_json() for one in self.cited.citations]

    def _tell_of_search(self, details: dict[str, Any]) -> None:
        """Say and note what was searched for, where a model wrote it."""
        if self.documents is None or self._looked is None:
            return
        from accordeur.cli.ask.showing import search_notes

        for line in search_notes(self._looked):
            self.screen.note(line)
        if self._looked.sought.reply is not None:
            details["queries"] = list(self._looked.sought.texts)

    def _keep(
        self, question: int, text: str, details: dict[str, Any], *, cut: bool = False
    ) -> None:
        """Write an answer down. Where nothing came before it was cut, there is none."""
        said = text.strip()
        if cut and not said:
            return
        self.store.answer(
            self.key,
            question,
            said,
            candidate=self.respondent.reference,
            tokens=self.respondent.count_tokens(said),
            cut=cut,
            details=details,
        )


def answered(exchanges: Sequence[StoredExchange]) -> int:
    """Messages that have an answer, and their answers."""
    return 2 * sum(one.answer is not None for one in exchanges)

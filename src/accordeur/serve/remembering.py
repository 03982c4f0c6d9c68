"""Conversations that the server keeps, so that clients send the new message alone.

The store and the memory are those of `accordeur chat`. A conversation belongs to the key that began
it: to any other it is not there, and its id is taken. Without keys it is the user's own, listed by
`accordeur conversations list` beside those of the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from accordeur.core.errors import StoreError
from accordeur.core.model import Embedder
from accordeur.core.rendering import Request
from accordeur.parts.memory import Exchange, Remembered, default_memory, memory_from
from accordeur.parts.memory.conversing import next_request
from accordeur.parts.memory.kept import KeptSummaries, KeptVectors
from accordeur.serve.chat import Choice
from accordeur.serve.errors import ApiError, refused
from accordeur.serve.served import Served
from accordeur.serve.ticket import Gone
from accordeur.serve.wire import ChatBody
from accordeur.store.conversation import Conversation, exchanges
from accordeur.store.conversations import ConversationStore


@dataclass(frozen=True, slots=True)
class Held:
    """A turn of a conversation: its question is on disk.

    Attributes:
        key: id of the conversation.
        question: id of the turn.
        request: what is asked.
        remembered: what memory sent and left out.
    """

    store: ConversationStore
    key: str
    question: int
    request: Request
    remembered: Remembered

    def kept(self, served: Served, choice: Choice, pieces: Iterator[str]) -> Iterator[str]:
        """The pieces of the answer, which is written down when it is complete, or left."""
        said: list[str] = []
        try:
            for piece in pieces:
                said.append(piece)
                yield piece
        except (Gone, GeneratorExit):
            if said:
                self._write(served, "".join(said), cut=True)
            raise
        self._write(served, choice.text, cut=False)

    def _write(self, served: Served, text: str, *, cut: bool) -> None:
        tokens = served.model.count_tokens(text) if served.model is not None else 0
        self.store.answer(
            self.key,
            self.question,
            text,
            candidate=served.name,
            tokens=tokens,
            cut=cut,
            details={"memory": self.remembered.to_json()},
        )


class Conversations:
    """The conversations of a server's clients.

    Args:
        open_store: gives the store when the first conversation needs it.
        embedder: gives the embedding model, for recall.
        log: told when there is much to embed.
    """

    def __init__(
        self,
        open_store: Callable[[], ConversationStore],
        embedder: Callable[[], Embedder],
        log: Callable[[str], None],
    ) -> None:
        self._open_store = open_store
        self._embedder = embedder
        self._log = log

    @cached_property
    def store(self) -> ConversationStore:
        """Opened when it is needed."""
        return self._open_store()

    def ask(self, served: Served, body: ChatBody, owner: str) -> Held:
        """Write a question down and work out what is asked.

        Args:
            served: what answers.
            body: names the conversation, and holds the question.
            owner: hash of the key that asks; empty without keys.

        Raises:
            ApiError: the request holds more than the question, or the id is another key's.
        """
        assert body.conversation is not None
        text, system = _new_message(body)
        conversation = self._conversation(served, body.conversation, owner, system)
        earlier = [
            Exchange(one.question.text, one.answer.text)
            for one in exchanges(self.store.turns(conversation.id))
            if one.answer is not None
        ]
        counted = served.model.count_tokens(text) if served.model is not None else 0
        question = self.store.ask(conversation.id, text, tokens=counted)
        candidate = served.candidate
        kept = conversation.memory
        request, remembered = next_request(
            memory_from(kept) if kept else default_memory(candidate),
            earlier,
            text,
            served.answerer,
            embed=KeptVectors(self.store, conversation.id, self._embedder, self._log),
            summaries=KeptSummaries(self.store, conversation.id),
            system=conversation.system,
        )
        return Held(self.store, conversation.id, question, request, remembered)

    def _conversation(self, served: Served, key: str, owner: str, system: str) -> Conversation:
        found = self.store.get(key, owner)
        if found is None:
            try:
                return self.store.begin(
                    served.name, served.fingerprint, name=key, owner=owner, system=system
                )
            except StoreError as error:
                if (found := self.store.get(key, owner)) is None:  # else another thread began it
                    words = f"{error.message} It was begun with another key, or without one."
                    raise ApiError(409, words, param="conversation") from None
        if system and system != found.system:
            self.store.change(key, system=system)
            return self._conversation(served, key, owner, "")
        return found


def _new_message(body: ChatBody) -> tuple[str, str]:
    """The question, and the system message if there is one."""
    *before, last = body.messages
    if last.role != "user" or any(one.role not in ("system", "developer") for one in before):
        raise refused(
            "With `conversation` send the new message of the user alone; the server knows the "
            "earlier ones.",
            param="messages",
        )
    if body.choices > 1 or body.fields is not None or body.context is not None:
        raise refused("`n`, `fields` and `context` do not go with `conversation`.", param="n")
    return last.text, "\n\n".join(one.text for one in before)

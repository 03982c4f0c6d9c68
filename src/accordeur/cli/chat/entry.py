"""The command: flags to a session."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from accordeur.core.errors import BundleError, UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.documents import Documents
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.respondent import Respondents
    from accordeur.cli.chat.screen import Screen
    from accordeur.cli.chat.session import ChatSession
    from accordeur.store.conversations import ConversationStore


def command(
    named: Annotated[
        str | None,
        typer.Argument(
            metavar="BUNDLE_OR_MODEL",
            help="Folder of a bundle, name of a run, or a model such as local/smollm2.",
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Go on with a conversation; `last` is the latest."),
    ] = None,
    system: Annotated[
        str | None, typer.Option(metavar="TEXT", help="System message of the conversation.")
    ] = None,
    instruction: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Of a bare model: stands once, before the first message."
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Which earlier messages are sent: whole, window, `window N`, summary, recall.",
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Answer from the passages of this index; /sources shows them."
        ),
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Of --index: a cross-encoder puts the first 30 passages in order."
        ),
    ] = None,
    rewrite: Annotated[
        bool,
        typer.Option(
            "--rewrite",
            help="Of --index: the model writes what is searched for, from the conversation.",
        ),
    ] = False,
    temperature: Annotated[
        float | None, typer.Option(metavar="T", help="Of sampling; 0 takes the likeliest words.")
    ] = None,
    top_p: Annotated[float | None, typer.Option(metavar="P", help="Of nucleus sampling.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Of sampling.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option(metavar="N", help="Longest answer. Default for a bare model: 512.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Of an endpoint.")] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="float32, each answer the same every time.")
    ] = False,
) -> int:
    """Talk with a bundle, the winner of a run, or a model.

    Conversations are kept for you alone and can be resumed. `/help` lists what can be typed beside
    messages. With input from a pipe, every line is a message, and stdout holds answers alone.
    """
    if named is None and resume is None:
        raise UsageError(
            "Say whom to talk with.",
            hint="accordeur chat local/smollm2, or accordeur chat --resume last",
        )
    _check(temperature, top_p, max_tokens)
    if index is None and (rewrite or rerank is not None):
        raise UsageError(
            "`--rerank` and `--rewrite` are for documents.", hint="--index NAME names them"
        )
    from accordeur.cli.chat.commands.memory import read_memory
    from accordeur.cli.chat.loop import converse
    from accordeur.cli.chat.respondent import Respondents, Wishes
    from accordeur.cli.chat.screen import Screen
    from accordeur.store.conversations import ConversationStore

    chosen = None if memory is None else read_memory(memory)
    reading = index is not None
    wishes = Wishes(
        instruction, temperature, top_p, seed, max_tokens, base_url, deterministic, reading
    )
    screen = Screen(sys.stdin.isatty() and sys.stdout.isatty())
    with ConversationStore() as store, ExitStack() as stack:
        respondents = Respondents(wishes, screen.note)
        documents = None
        if index is not None:
            documents = stack.enter_context(
                _documents(index, respondents, screen, rerank=rerank, rewrite=rewrite)
            )
        session = _session(store, respondents, screen, named, resume, documents)
        if system is not None:
            session.set_system(system)
        if chosen is not None:
            session.remember_with(chosen)
        if screen.interactive:
            _greet(session)
        converse(session, _lines(screen))
        if screen.interactive and session.key:
            screen.note(f"kept: accordeur chat --resume {session.key}")
    return 1 if session.failures and not screen.interactive else 0


def _session(
    store: ConversationStore,
    respondents: Respondents,
    screen: Screen,
    named: str | None,
    resume: str | None,
    documents: Documents | None,
) -> ChatSession:
    from accordeur.cli.chat.respondent import check_same
    from accordeur.cli.chat.session import ChatSession, Settings
    from accordeur.parts.memory import memory_from

    if resume is None:
        assert named is not None
        respondent = respondents.find(named)
        return ChatSession(store, respondents, respondent, screen, Settings(), documents=documents)
    conversation = store.find(resume)
    try:
        respondent = respondents.find(named or conversation.candidate)
    except (BundleError, UsageError) as error:
        if named is not None:
            raise
        hint = f"say who answers: accordeur chat BUNDLE_OR_MODEL --resume {conversation.id}"
        raise UsageError(error.message, hint=hint) from error
    if named is None:
        address = respondents.wishes.base_url is not None
        if changed := check_same(respondent, conversation.digest, address_named=address):
            screen.note(changed)
    settings = Settings(
        conversation.system,
        conversation.title,
        memory_from(conversation.memory) if conversation.memory else None,
    )
    session = ChatSession(store, respondents, respondent, screen, settings, conversation, documents)
    if (respondent.reference, respondent.digest) != (conversation.candidate, conversation.digest):
        store.change(conversation.id, candidate=(respondent.reference, respondent.digest))
    return session


@contextmanager
def _documents(
    index: str, respondents: Respondents, screen: Screen, *, rerank: str | None, rewrite: bool
) -> Iterator[Documents]:
    from accordeur.cli.ask.collection import opened, staleness
    from accordeur.cli.chat.documents import Documents
    from accordeur.parts.retrieval.asking import Search

    with opened(index, None, respondents.models(), rerank) as asked:
        if stale := staleness(asked):
            screen.note(stale)
        yield Documents(asked, Search(), rewrite)


def _greet(session: ChatSession) -> None:
    from accordeur.cli.chat.session import answered
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import one_line

    session.screen.note(f"{session.respondent.title} · /help lists commands, Ctrl-D leaves")
    session.screen.note(f"memory: {session.memory.describe()}")
    if session.documents is not None:
        asked = session.documents.asked
        passages = plural(len(asked.searchable), "passage")
        session.screen.note(f"documents: {one_line(asked.name)}, {passages}")
    exchanges = session.exchanges()
    if not exchanges:
        return
    session.screen.note(f"{plural(answered(exchanges), 'message')} so far; the last:")
    last = exchanges[-1]
    session.screen.note(f"> {one_line(last.question.text, 200)}")
    if last.answer is None:
        session.screen.note("It has no answer: /retry asks it again.")
    else:
        cut = " (cut)" if last.answer.cut else ""
        session.screen.note(f"{one_line(last.answer.text, 200)}{cut}")


def _lines(screen: Screen) -> Lines:
    from accordeur.cli.chat.history import History
    from accordeur.cli.chat.reading import PipedLines, TypedLines

    return TypedLines(History()) if screen.interactive else PipedLines()


def _check(temperature: float | None, top_p: float | None, max_tokens: int | None) -> None:
    """Refuse what no sampler can do.

    Raises:
        UsageError: a value is out of range.
    """
    if temperature is not None and not 0 <= temperature <= 100:
        raise UsageError(
            f"`--temperature {temperature:g}` is out of range.", hint="0 to 2 is usual"
        )
    if top_p is not None and not 0 < top_p <= 1:
        raise UsageError(f"`--top-p {top_p:g}` is out of range.", hint="above 0, 1 at most")
    if max_tokens is not None and max_tokens < 1:
        raise UsageError(f"`--max-tokens {max_tokens}` leaves no answer.", hint="--max-tokens 256")

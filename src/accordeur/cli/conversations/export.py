"""`accordeur conversations export`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.store.conversation import Conversation, StoredTurn

ENDINGS = (".jsonl", ".json", ".md")


def command(
    references: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID...]", help="Conversations. Default: all of yours."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="File: .jsonl, .json or .md."),
    ] = None,
) -> int:
    """Write conversations to a file.

    JSONL is one conversation a line, its messages as chat endpoints and fine-tuning files have
    them; messages without an answer are left out. JSON is everything that is kept, superseded turns
    and ratings included. Markdown is for reading.
    """
    if output is None or output.suffix.lower() not in ENDINGS:
        raise UsageError(
            "Say where to write to, as a file ending in .jsonl, .json or .md.",
            hint="accordeur conversations export -o conversations.jsonl",
        )
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import near_path
    from accordeur.store.conversations import ConversationStore
    from accordeur.store.durable import write_atomic

    with ConversationStore() as store:
        if references:
            keys = dict.fromkeys(store.find(one, None).id for one in references)
            known = [store.find(key, None) for key in keys]
        else:
            known = store.conversations()
        form = {".jsonl": _jsonl, ".json": _json, ".md": _markdown}[output.suffix.lower()]
        text = form((one, store.turns(one.id)) for one in known)
        write_atomic(output.absolute(), (piece.encode("utf-8") for piece in text))
    print(f"{plural(len(known), 'conversation')} written to {near_path(output)}")
    return 0


Held = Iterable[tuple["Conversation", "list[StoredTurn]"]]


def _jsonl(held: Held) -> Iterator[str]:
    for conversation, turns in held:
        data = {
            "id": conversation.id,
            "messages": messages(conversation, turns),
            "model": conversation.candidate,
        }
        yield json.dumps(data, ensure_ascii=False) + "\n"


def messages(conversation: Conversation, turns: Iterable[StoredTurn]) -> list[dict[str, str]]:
    """What counts of a conversation, as chat endpoints take it."""
    from accordeur.store.conversation import exchanges

    said: list[dict[str, str]] = []
    if conversation.system:
        said.append({"role": "system", "content": conversation.system})
    for one in exchanges(turns):
        if one.answer is not None:
            said.append({"role": "user", "content": one.question.text})
            said.append({"role": "assistant", "content": one.answer.text})
    return said


def _json(held: Held) -> Iterator[str]:
    data: list[dict[str, Any]] = [
        {**conversation.to_json(), "turns": [turn.to_json() for turn in turns]}
        for conversation, turns in held
    ]
    yield json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _markdown(held: Held) -> Iterator[str]:
    from accordeur.cli.figures import moment

    for conversation, turns in held:
        title = " ".join(conversation.title.split()) or conversation.id
        yield f"# {title}\n\n{moment(conversation.created)}, {conversation.candidate}\n"
        for said in messages(conversation, turns):
            quoted = "\n".join(f"> {line}".rstrip() for line in said["content"].splitlines())
            yield f"\n**{said['role']}**\n\n{quoted}\n"
        yield "\n"

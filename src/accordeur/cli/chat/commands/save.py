"""`/save`: the last message as an example of a task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from accordeur.cli.chat.commands import usage
from accordeur.cli.terminal import near_path
from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Append a row that `accordeur init` and `run` read.

    With an answer of the user behind the file, that is what is expected, and what the model said
    stands beside it as rejected.

    Raises:
        UsageError: no file, another ending, no answer, or a label that the task does not have.
        StoreError: the file cannot be written.
    """
    from accordeur.store.durable import append_line

    name, _, correction = rest.partition(" ")
    if not name:
        raise UsageError("An example is saved to a file.", hint=usage("save"))
    path = Path(name).expanduser()
    if path.suffix.lower() != ".jsonl":
        raise UsageError(
            f"Examples cannot be written as `{path.suffix or path.name}`.",
            hint=f"/save {path.stem or 'examples'}.jsonl",
        )
    row = example(session, correction.strip())
    append_line(path.absolute(), row)
    shape = "a conversation" if isinstance(row["input"], list) else "the message"
    session.screen.note(f"{shape} and its answer are saved to {near_path(path)}")


def example(session: ChatSession, correction: str) -> dict[str, Any]:
    """The last message and its answer as a row.

    The input is the message alone where nothing earlier was sent with it, else the conversation.
    The answer is what stands behind the reasoning, if the model reasoned (DESIGN P5).

    Raises:
        UsageError: as `run`.
    """
    from accordeur.parts.extraction import after_answer

    exchanges = session.exchanges()
    last = session.last()
    if last.answer is None and not correction:
        raise UsageError("The last message has no answer.", hint=usage("save"))
    said = after_answer(last.answer.text) if last.answer is not None else ""
    expected = _expected(session, correction or said)
    row: dict[str, Any] = {"input": last.question.text, "expected": expected}
    details = last.answer.details if last.answer is not None else {}
    kept = int(details.get("memory", {}).get("kept", 0))
    answered = [one for one in exchanges[:-1] if one.answer is not None]
    earlier = answered[len(answered) - kept :]
    if earlier:
        turns = [
            {"role": turn.role, "content": turn.text}
            for one in earlier
            for turn in (one.question, one.answer)
            if turn is not None
        ]
        row["input"] = [*turns, {"role": "user", "content": last.question.text}]
    if correction and said and said != expected and not session.respondent.labels:
        row["rejected"] = [said]
    return row


def _expected(session: ChatSession, text: str) -> str:
    """A label by its name, where the task has labels; any text otherwise.

    Raises:
        UsageError: there is no such label.
    """
    labels = session.respondent.labels
    if not labels:
        return text
    folded = text.casefold()
    for label in labels:
        if folded in (label.name.casefold(), label.text.casefold()):
            return label.name
    raise UsageError(
        f"`{text}` is no label of this task.",
        hint=f"known: {', '.join(label.name for label in labels)}",
    )

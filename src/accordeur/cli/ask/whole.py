"""A question to all documents at once, whatever their length."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.ask.collection import Asked
    from accordeur.core.cache import AnswerCache
    from accordeur.core.candidate import Candidate
    from accordeur.core.model import ModelSource
    from accordeur.documents.passage import Filter
    from accordeur.parts.synthesis import Step


def answer_whole(
    asked: Asked,
    question: str,
    candidate: Candidate,
    source: ModelSource,
    cache: AnswerCache | None,
    *,
    where: Filter,
    way: str,
    limit: int,
    as_json: bool,
) -> int:
    """Read everything, print the answer and what it took.

    Raises:
        UsageError: no document is left, or there is no such way.
        ModelError: a call failed; the same command goes on from there.
    """
    from accordeur.cli.failures import note
    from accordeur.cli.figures import plural
    from accordeur.cli.terminal import safe
    from accordeur.parts.synthesis import Writer, synthesise

    texts = asked.documents(where)
    if not texts:
        raise UsageError(
            "No document fits `--path` and `--where`.",
            hint=f"accordeur index inspect {asked.name}",
        )
    writer = Writer(candidate, source, cache, limit=limit)
    try:
        made = synthesise(way, question, texts, writer, Pace().tell)
    except KeyboardInterrupt:
        note("\nStopped. What is done is kept: the same command goes on from there.")
        raise
    if as_json:
        data = {
            "question": question,
            "answer": made.text,
            "by": way,
            "documents": [name for name, _ in texts],
            "groups": made.groups,
            "calls": made.calls,
            "input_tokens": made.input_tokens,
            "output_tokens": made.output_tokens,
        }
        print(json.dumps(data, ensure_ascii=not sys.stdout.isatty()))
        return 0
    print(safe(made.text), flush=True)
    note(
        f"{way}: {plural(len(texts), 'document')} in {plural(made.groups, 'part')}, "
        f"{plural(made.calls, 'call')}, {made.input_tokens:,} tokens read and "
        f"{made.output_tokens:,} written. It is a summary by the model, without citations."
    )
    return 0


class Pace:
    """Tells on stderr how far it is and how long it will take."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()

    def tell(self, step: Step) -> None:
        """A call is done; a line at most every few seconds."""
        from accordeur.cli.answer import EVERY
        from accordeur.cli.figures import about

        now = time.monotonic()
        if step.done >= step.planned or now - self._last < EVERY:
            return
        self._last = now
        left = (now - self._start) / step.done * (step.planned - step.done)
        print(
            f"{step.done:,} of {step.planned:,} calls, about {about(left)} left",
            file=sys.stderr,
            flush=True,
        )

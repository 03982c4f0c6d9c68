"""One question on the terminal: its prompt, its answer as it comes, or one JSON object."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from accordeur.core.answer import Status
from accordeur.core.errors import ModelError

if TYPE_CHECKING:
    from accordeur.cli.ask.asking import Answered, Asker
    from accordeur.parts.answering.answerer import StreamingAnswerer
    from accordeur.parts.retrieval.retriever import Looked


def print_prompt(asker: Asker, looked: Looked) -> int:
    """What the model would get."""
    from accordeur.cli.ask.showing import packing_notes
    from accordeur.cli.failures import note
    from accordeur.cli.terminal import safe

    model = asker.answerer.model
    assert model is not None
    rendered = asker.answerer.render([looked.request])[0]
    print(safe(model.prompt_text(rendered)))
    tokens, _ = model.prompt_tokens(rendered)
    about = "about " if model.identity.remote else ""
    note(f"{about}{tokens:,} tokens")
    for line in packing_notes(looked.packed):
        note(line)
    return 0


def print_json(asker: Asker, question: str, looked: Looked) -> int:
    """The answer as an object; 1 where it is lost."""
    from accordeur.cli.ask.showing import answered_json

    (answered,) = asker.answer([question], [looked])
    data = answered_json(answered, asker.asked, calibrated=asker.caution.confidence is not None)
    print(json.dumps(data, ensure_ascii=not sys.stdout.isatty()))
    return 1 if answered.answer.error else 0


def print_answer(asker: Asker, question: str, looked: Looked, *, stream: bool) -> int:
    """The answer, its citations, and what is to be said of both.

    Raises:
        ModelError: there is none.
    """
    from accordeur.cli.ask.showing import show_answer, show_citations, tell_of_answer
    from accordeur.cli.failures import note
    from accordeur.parts.answering.answerer import StreamingAnswerer

    if looked.sought.error:
        raise ModelError(looked.sought.error, hint="ask again")
    streams = stream and not asker.may_withhold and not asker.refusal(looked)
    if streams and isinstance(asker.answerer, StreamingAnswerer):
        answered = _streamed(asker, asker.answerer, question, looked)
    else:
        (answered,) = asker.answer([question], [looked])
        if answered.answer.status is Status.ERROR:
            raise ModelError(answered.answer.error or "There is no answer.", hint="ask again")
        show_answer(answered)
    show_citations(answered.cited, asker.asked)
    sys.stdout.flush()
    if sys.stdout.isatty():
        note("")
    tell_of_answer(answered)
    note(_about(asker, answered))
    return 0


def _streamed(asker: Asker, answerer: StreamingAnswerer, question: str, looked: Looked) -> Answered:
    """Show the answer as it comes. What came before an error or Ctrl-C stays on the screen."""
    from accordeur.cli.chat.screen import Screen
    from accordeur.core.answer import Answer

    screen = Screen(sys.stdout.isatty())
    pieces = answerer.stream(looked.request)
    said: list[str] = []
    try:
        for piece in pieces:
            said.append(piece)
            screen.piece(piece)
    finally:
        getattr(pieces, "close", lambda: None)()  # an endpoint's stream is given up
        if said:
            screen.end_answer()
    text = "".join(said).strip()
    if not text:
        print("(the answer is empty)")
    return asker.judged(question, looked, Answer(text, Status.OK if text else Status.EMPTY))


def _about(asker: Asker, answered: Answered) -> str:
    """The last line: how much was read, and whether its answers are calibrated."""
    from accordeur.cli.figures import plural

    shown = len(answered.looked.packed.shown)
    words = [f"read {plural(shown, 'passage')} of {len(asker.asked.searchable):,}"]
    sure = answered.answer.confidence
    if sure is not None:
        words.append(f"right with a probability of {sure:.0%}")
    elif asker.caution.min_score is not None:
        words.append(f"not calibrated, --min-score {asker.caution.min_score:g} by hand")
    else:
        words.append("not calibrated")
    return " · ".join(words)

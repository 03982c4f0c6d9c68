"""Questions of a file, asked together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from accordeur.core.answer import Status
from accordeur.core.errors import TaskError

if TYPE_CHECKING:
    from accordeur.cli.ask.asking import Answered, Asker

BLOCK = 64
"""Questions that are looked up and asked together; progress is told between blocks."""


def answer_file(asker: Asker, source: Path, output: Path | None) -> int:
    """Answer every row's question, and write or print a JSON line for each.

    Raises:
        TaskError: the file cannot be read, or a row asks nothing.
    """
    from accordeur.cli.ask.showing import answered_json
    from accordeur.cli.failures import note
    from accordeur.cli.index.reranking import reranking_notes
    from accordeur.cli.rows import read_requests

    names, requests = read_requests(source)
    questions = [one.text.strip() for one in requests]
    for name, question in zip(names, questions, strict=True):
        if not question:
            raise TaskError(f"The row `{name}` of `{source}` asks nothing.")
    answered = answer_questions(asker, questions)
    calibrated = asker.caution.confidence is not None
    rows = [
        {"id": name, **answered_json(one, asker.asked, calibrated=calibrated)}
        for name, one in zip(names, answered, strict=True)
    ]
    _write(rows, output)
    for line in reranking_notes(asker.asked.searchable):
        note(line)
    _sum_up(answered)
    return 1 if any(one.answer.status is Status.ERROR for one in answered) else 0


def answer_questions(asker: Asker, questions: list[str]) -> list[Answered]:
    """The answers in order; how many are done is told on stderr."""
    from accordeur.cli.answer import Counter

    counter = Counter(len(questions))
    found: list[Answered] = []
    for start in range(0, len(questions), BLOCK):
        asked = questions[start : start + BLOCK]
        looked = asker.look(asked)
        places = {id(one): at for at, one in enumerate(looked)}
        block: dict[int, Answered] = {}
        for one in asker.answer(asked, looked):
            block[places[id(one.looked)]] = one
            counter.tell(len(found) + len(block))
        found += [block[at] for at in range(len(asked))]
    return found


def _write(rows: list[dict[str, object]], output: Path | None) -> None:
    # Escapes instead of raw text on stdout, which may be a terminal.
    lines = [json.dumps(row, ensure_ascii=output is None) for row in rows]
    if output is None:
        for line in lines:
            print(line)
        return
    from accordeur.cli.figures import plural
    from accordeur.store.durable import write_atomic

    write_atomic(output.absolute(), "".join(f"{line}\n" for line in lines).encode("utf-8"))
    print(f"{plural(len(rows), 'answer')} written to {output}")


def _sum_up(answered: list[Answered]) -> None:
    from accordeur.cli.failures import note

    given = [one for one in answered if not one.withheld and one.answer.status is not Status.ERROR]
    cited = sum(bool(one.cited.citations) for one in given)
    errors = sum(one.answer.status is Status.ERROR for one in answered)
    withheld = len(answered) - len(given) - errors
    note(
        f"{len(given):,} answered, {cited:,} of them with a citation; {withheld:,} abstained"
        + (f"; {errors:,} errors" if errors else "")
    )

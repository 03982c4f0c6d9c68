"""An answer and its citations, on the terminal and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from accordeur.cli.failures import note
from accordeur.cli.figures import plural
from accordeur.cli.terminal import console, near_path, one_line, safe
from accordeur.core.answer import Status
from accordeur.parts.retrieval.queries import question_of

if TYPE_CHECKING:
    from rich.text import Text

    from accordeur.cli.ask.asking import Answered
    from accordeur.cli.ask.collection import Asked
    from accordeur.documents.citations import Citation, Cited
    from accordeur.documents.citations.place import Place
    from accordeur.parts.retrieval.packing import Packed
    from accordeur.parts.retrieval.retriever import Looked

LONGEST = 600
"""Characters of a quote that are shown."""

ABSTAINED = "No answer is given"


def show_answer(answered: Answered) -> None:
    """Print an answer that was not streamed, or why there is none."""
    if answered.withheld:
        print(f"{ABSTAINED}: {answered.withheld}.", flush=True)
    else:
        print(safe(answered.answer.text.strip()), flush=True)


def show_citations(cited: Cited, asked: Asked) -> None:
    """Print the citations of an answer, those with one number together."""
    from rich.padding import Padding
    from rich.text import Text

    out = console()
    several = len({one.claim for one in cited.citations}) > 1
    for number in dict.fromkeys(one.number for one in cited.citations):
        same = [one for one in cited.citations if one.number == number]
        out.print()
        out.print(_where(number, same[0], asked), soft_wrap=True)  # a broken path opens nothing
        if titles := _titles(same[0]):
            out.print(Padding(Text(titles, style="dim"), (0, 0, 0, 4)))
        for quote in dict.fromkeys(one.quote for one in same):
            shown = one_line(quote, LONGEST)
            out.print(Padding(Text(f"“{shown}”"), (0, 0, 0, 4)))
        if several:
            claims = "; ".join(dict.fromkeys(one_line(one.claim.text, 60) for one in same))
            out.print(Padding(Text(f"for: {claims}", style="dim"), (0, 0, 0, 4)))


def citation_lines(cited: Cited, asked: Asked) -> list[str]:
    """The places alone, a line for each number."""
    lines: dict[int, str] = {}
    for one in cited.citations:
        titles = _titles(one)
        place = _where(one.number, one, asked).plain
        lines.setdefault(one.number, f"{place} · {titles}" if titles else place)
    return list(lines.values())


def _titles(citation: Citation) -> str:
    """`Leave › Annual leave`."""
    return " › ".join(one_line(title) for title in citation.headings)


def _where(number: int, citation: Citation, asked: Asked) -> Text:
    """`[1] handbook/leave.md:12`, linked where a terminal can."""
    from rich.text import Text

    place = place_of_citation(citation, asked)
    words, link = one_line(citation.span.document), ""
    if place is not None:
        line = f":{place.line}" if place.line is not None else ""
        words, link = f"{near_path(place.path)}{line}", place.uri
    if citation.page is not None:
        words = f"{words}, page {citation.page}"
    shown = Text(f"[{number}] ", style="bold")
    shown.append(words, style=f"bold link {link}" if link else "bold")
    return shown


def place_of_citation(citation: Citation, asked: Asked) -> Place | None:
    """Where a citation is opened; `None` where its file is not known."""
    from accordeur.documents.citations.place import place_of

    path = asked.file_of(citation.span.document)
    if path is None:
        return None
    return place_of(path, citation.span, citation.quote, citation.page)


def tell_of_answer(answered: Answered) -> None:
    """What a reader should know of an answer beside its citations, on stderr."""
    if answered.answer.status is Status.TRUNCATED:
        note("The answer stops at its limit; --max-tokens allows more.")
    elif answered.answer.status not in (Status.OK, Status.ABSTAINED):
        note(f"status: {answered.answer.status} {answered.answer.error}".rstrip())
    for line in citation_notes(answered.cited):
        note(line)
    for line in packing_notes(answered.looked.packed):
        note(line)


def citation_notes(cited: Cited) -> list[str]:
    """What of an answer has no citation, and whose word the citations are."""
    lines = []
    if cited.citations and all(one.origin == "code" for one in cited.citations):
        lines.append("The citations were found by code; the model set no valid mark.")
    elif any(one.origin == "code" for one in cited.citations):
        found = sorted({one.number for one in cited.citations if one.origin == "code"})
        lines.append(f"Found by code, not marked by the model: {_numbers(found)}.")
    for claim in cited.unsupported:
        lines.append(f"No passage supports: {one_line(claim.text, 80)}")
    if cited.astray:
        wrong = plural(cited.astray, "mark")
        lines.append(f"{wrong} of the model named no passage that says so.")
    for quotation in cited.misquoted:
        lines.append(f"Quoted by the model, but in no passage: {one_line(quotation, 80)}")
    return lines


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(f"[{one}]" for one in numbers)


def search_notes(looked: Looked) -> list[str]:
    """What was searched for in place of a question; nothing where it was the question."""
    sought = looked.sought
    if sought.reply is None:
        return []
    if sought.texts == (question_of(looked.request),):
        return ["The model wrote no other query; the question itself was searched for."]
    return [f"searched for: {' | '.join(one_line(text, 120) for text in sought.texts)}"]


def packing_notes(packed: Packed) -> list[str]:
    """What was found and not shown."""
    if not packed.dropped:
        return []
    verb = "was" if packed.dropped == 1 else "were"
    return [
        f"{plural(packed.dropped, 'passage')} had no room in the prompt and {verb} left out "
        "(-k takes fewer)"
    ]


def answered_json(answered: Answered, asked: Asked, *, calibrated: bool) -> dict[str, Any]:
    """A question and its answer as plain data."""
    answer, packed = answered.answer, answered.looked.packed
    data: dict[str, Any] = {
        "question": answered.question,
        "answer": "" if answered.withheld else answer.text,
        "status": str(answer.status),
        "citations": [_citation_json(one, asked) for one in answered.cited.citations],
        "unsupported": [
            {"answer_start": one.start, "answer_end": one.end, "text": one.text}
            for one in answered.cited.unsupported
        ],
        "astray_marks": answered.cited.astray,
        "misquoted": list(answered.cited.misquoted),
        "passages": [
            {
                **one.span.to_json(),
                "number": number,
                "page": one.page,
                "headings": list(one.headings),
                "score": one.score,
            }
            for number, one in enumerate(packed.shown, start=1)
        ],
        "dropped": packed.dropped,
        "calibrated": calibrated,
        "tokens": answer.usage.input_tokens + answer.usage.output_tokens,
        "seconds": round(answer.seconds, 6),
    }
    if answered.looked.sought.reply is not None:
        data["queries"] = list(answered.looked.sought.texts)
    if answer.confidence is not None:
        data["confidence"] = round(answer.confidence, 4)
    if answered.withheld:
        data["withheld"] = answered.withheld
        data["withheld_answer"] = answer.text
    if answer.error:
        data["error"] = answer.error
    return data


def _citation_json(citation: Citation, asked: Asked) -> dict[str, Any]:
    place = place_of_citation(citation, asked)
    data = citation.to_json()
    if place is not None:
        data |= {"file": str(place.path), "line": place.line, "uri": place.uri}
    return data

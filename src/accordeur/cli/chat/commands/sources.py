"""`/sources`: what the last answer rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accordeur.cli.chat.commands import usage
from accordeur.core.errors import UsageError

if TYPE_CHECKING:
    from accordeur.cli.chat.reading import Lines
    from accordeur.cli.chat.session import ChatSession


def run(session: ChatSession, lines: Lines, rest: str) -> None:
    """Show the citations of the last answer, or open the file of one.

    Raises:
        UsageError: no documents are asked, there is no such citation, or its file is not known.
    """
    if session.documents is None:
        raise UsageError(
            "This conversation is held without documents.",
            hint="accordeur chat BUNDLE_OR_MODEL --index NAME",
        )
    from accordeur.cli.ask.showing import citation_notes, show_citations

    if session.cited is None:
        raise UsageError("Nothing was answered yet in this session.", hint="/retry")
    if rest:
        _open(session, rest)
        return
    if not session.cited.citations:
        session.screen.note("The last answer has no citation.")
    show_citations(session.cited, session.documents.asked)
    for line in citation_notes(session.cited):
        session.screen.note(line)


def _open(session: ChatSession, rest: str) -> None:
    import typer

    from accordeur.cli.ask.showing import place_of_citation
    from accordeur.cli.terminal import near_path

    assert session.cited is not None
    assert session.documents is not None
    number = rest.strip("[]")
    wanted = [one for one in session.cited.citations if str(one.number) == number]
    if not wanted:
        raise UsageError(f"There is no citation `{rest}`.", hint=usage("sources"))
    place = place_of_citation(wanted[0], session.documents.asked)
    if place is None:
        raise UsageError("The file of this document is not known here.", hint="/sources")
    if typer.launch(place.uri) != 0:
        raise UsageError("Nothing here opens it.", hint=f"its file: {near_path(place.path)}")
    session.screen.note(f"opened {near_path(place.path)}")

"""What stands over a passage and is embedded with it: a row of a table does not say of what it is.

Only the vector knows them. What is shown, cited and asked by words is the text alone.
"""

from __future__ import annotations

from accordeur.documents.chunking import Chunk, Count
from accordeur.documents.document import Document

TOKENS = 48
"""That titles may take of what an embedder reads."""


def titles_over(document: Document, chunk: Chunk, count: Count, most: int) -> str:
    """The document's title and the headings over a chunk, outermost first; the outermost are left
    out until the rest fits, all of them where the chunk leaves no room.

    Args:
        document: what was cut.
        chunk: of it.
        count: tokens of a text, special ones included.
        most: tokens that the embedder reads; 0 where not known.
    """
    titles = list(chunk.headings)
    title = document.metadata.get("title", "")
    if title and title not in titles:
        titles.insert(0, title)
    room = min(TOKENS, most - chunk.tokens) if most else TOKENS
    while titles and count(joined := " > ".join(titles)) > room:
        titles.pop(0)
    return joined if titles else ""


def embedded_text(titles: str, text: str) -> str:
    """What a vector is made of."""
    return f"{titles}\n{text}" if titles else text

"""Which sentence of which document an answer rests on, found and checked by code.

    sentences   a text cut into sentences that can be quoted
    marks       the model's own `[1]`, and its quotations
    wording     texts as weighted words
    support     how well a sentence supports what an answer says
    citing      from a question, an answer and passages to citations
    checking    a quote must stand at its place in the indexed document
    place       where a quote is opened: a line of a file, a page

No model is asked: everything here is a pure function of texts.
"""

from __future__ import annotations

from accordeur.documents.citations.checking import TextAt, check, text_of
from accordeur.documents.citations.citation import Citation, Cited, Claim, Stretch
from accordeur.documents.citations.citing import FLOOR, cite

__all__ = ["FLOOR", "Citation", "Cited", "Claim", "Stretch", "TextAt", "check", "cite", "text_of"]

"""`accordeur ask`: questions to documents, answered with citations.

entry        the command and its flags
collection   what is asked: an index, or the documents of a bundle
asking       from a question to an answer with checked citations; knows no terminal
showing      an answer and its citations on the terminal, and as plain data
batch        questions of a file
calibrating  when to abstain, learned from labelled questions
whole        what needs all documents: map-reduce, refine, tree
"""

from __future__ import annotations

from accordeur.cli.ask.entry import command

__all__ = ["command"]

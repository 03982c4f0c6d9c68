"""`accordeur chat`: a conversation on the terminal.

    entry        the command and its flags
    respondent   who answers: a bundle, a run's winner, or a bare model
    session      the conversation: what is asked, kept, undone; knows no terminal
    documents    passages for a question and citations of an answer, with `--index`
    loop         reads messages and commands until the end
    reading      a message from a terminal or a pipe, over several lines where wanted
    history      the lines typed before
    screen       what is shown; answers go to stdout, everything about them to stderr
    safe_stream  makes the pieces of a model's text safe to show
    word_wrap    breaks their lines between words
    commands/    what starts with a slash, a file each

What is kept is in `store.conversations`, what of it is sent in `parts.memory`.
"""

from __future__ import annotations

from accordeur.cli.chat.entry import command

__all__ = ["command"]

"""From a question to what is searched for, in the base model's words.

    rewrite   one query that stands for the question
    several   up to three queries; what each of them and the question itself find is joined by
              reciprocal ranks

The model is shown the question and, of a conversation, the turns before it, so that "And for
part-timers?" becomes a question of its own. No passage is shown, nor the row's own context: what
stands in documents cannot say what is looked for. Where nothing usable is written, the question
itself is searched.

`rewrite` after X. Ma et al., Query Rewriting for Retrieval-Augmented Large Language Models, EMNLP
2023, https://arxiv.org/abs/2305.14283, without their trained rewriter; `several` after Z.
Rackauckas, RAG-Fusion, 2024, https://arxiv.org/abs/2402.03367.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.parts.extraction import fold, is_refusal

Way = Literal["rewrite", "several"]

WAYS: tuple[Way, ...] = get_args(Way)

MOST = 3
"""Queries of `several`, beside the question."""

LONGEST = 200
"""Characters of a query; what is longer is an answer or a story, no query."""

MOST_TOKENS: Mapping[Way, int] = {"rewrite": 48, "several": 96}
"""That the model may write."""

_WORDS: Mapping[Way, str] = {
    "rewrite": (
        "Write one short search query that finds where documents answer the question. "
        "Keep names and numbers. Write the query alone, on one line."
    ),
    "several": (
        "Write three different short search queries that find where documents answer the question. "
        "Keep names and numbers. Write one query per line, nothing else."
    ),
}

_NUMBERED = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,2}[.):])\s+")
_NAMED = re.compile(
    r"^(?:the\s+)?(?:search\s+)?(?:query|queries|question)\s*(?:\d+\s*)?[:=]\s*", re.I
)
_QUOTES = "\"'“”‘’«»`*_ \t"


def question_of(request: Request) -> str:
    """What is asked: the input, of a conversation its last user turn."""
    if isinstance(request.input, tuple):
        return next((turn.content for turn in reversed(request.input) if turn.role == "user"), "")
    return request.text


def query_prompt(request: Request, way: Way) -> Rendered:
    """What the model is shown. What does not fit is cut from the beginning of the conversation."""
    words = (
        Segment(f"{_WORDS[way]}\n\n", shared=True),
        Segment(_before(request), "data", trim=True),
        Segment("Question: "),
        Segment(question_of(request), "data", trim=True),
    )
    return Rendered((Message("user", tuple(one for one in words if one.text)),))


def query_sampling(way: Way) -> Sampling:
    """How it is written: the likeliest words."""
    return Sampling(max_tokens=MOST_TOKENS[way])


def _before(request: Request) -> str:
    """The turns before the last question, a line each; the system's are instructions, not talk."""
    if not isinstance(request.input, tuple):
        return ""
    said = [turn for turn in request.input if turn.role != "system"]
    last = max((at for at, turn in enumerate(said) if turn.role == "user"), default=0)
    names = {"user": "User", "assistant": "Assistant"}
    lines = [
        f"{names.get(turn.role, turn.role)}: {' '.join(turn.content.split())}" for turn in said
    ]
    return "".join(f"{line}\n" for line in lines[:last])


def read_queries(text: str, question: str, way: Way, *, finished: bool = True) -> tuple[str, ...]:
    """The usable queries in what a model wrote; none where there are none.

    A query is a line with a letter or digit, not longer than `LONGEST`, that is no refusal, does
    not end with a colon, and is not the question itself. Numbers, quotation marks and a word such
    as `Query:` before it are left out. A last line that the limit cut is no query.

    Args:
        text: of the model.
        question: that was asked.
        way: `rewrite` takes the first line, `several` up to three different ones.
        finished: the model ended it by itself.
    """
    if is_refusal(text):
        return ()
    lines = text.splitlines()
    if not finished:
        lines = lines[:-1]
    found: dict[str, str] = {}
    for line in lines:
        query = _plain(line)
        if len(found) < (1 if way == "rewrite" else MOST) and _usable(query):
            found.setdefault(fold(query), query)
        elif way == "rewrite" and query and not _heads(query):
            break
    found.pop(fold(question), None)
    return tuple(found.values())


def _plain(line: str) -> str:
    query = _NUMBERED.sub("", line.strip(_QUOTES)).strip(_QUOTES)
    return _NAMED.sub("", query).strip(_QUOTES)


def _heads(line: str) -> bool:
    """Whether it only announces what follows, such as `Here are three queries:`."""
    return line.endswith(":")


def _usable(query: str) -> bool:
    words = bool(fold(query)) and not _heads(query)
    return words and len(query) <= LONGEST and not is_refusal(query)

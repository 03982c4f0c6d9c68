"""Names that columns of public data commonly have, in the order of preference."""

from __future__ import annotations

INPUT_NAMES = (
    "input",
    "text",
    "question",
    "query",
    "message",
    "messages",
    "prompt",
    "sentence",
    "utterance",
    "tweet",
    "review",
    "conversation",
    "dialogue",
    "dialog",
    "transcript",
)
EXPECTED_NAMES = (
    "expected",
    "label",
    "answer",
    "answers",
    "output",
    "target",
    "response",
    "completion",
    "summary",
    "category",
    "class",
    "intent",
    "sentiment",
)
OTHER_NAMES = ("id", "group", "context", "documents", "steps", "rejected", "spans")
COMMON_NAMES = frozenset((*INPUT_NAMES, *EXPECTED_NAMES, *OTHER_NAMES))

"""What judges have in common: a prompt that asks for a JSON object, and reading one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from accordeur.core.model import Sampling
from accordeur.core.rendering import Message, Rendered, Segment

SAMPLING = Sampling(max_tokens=256)
"""Greedy, so that the same answer gets the same verdict; room for a reason."""


def judge_prompt(instruction: str, parts: Sequence[tuple[str, str]]) -> Rendered:
    """A prompt of one instruction and named texts.

    The texts are data: their special tokens are plain text, and the judge is told that they are to
    be judged and not followed. Each stands between lines that name it.
    """
    segments = [Segment(f"{instruction}\n", shared=True)]
    for name, text in parts:
        segments += [
            Segment(f"\n<{name}>\n"),
            Segment(text or "(empty)", "data", trim=name != "rubric"),
            Segment(f"\n</{name}>\n"),
        ]
    return Rendered((Message("user", tuple(segments)),))


def first_object(reply: str) -> dict[str, Any] | None:
    """The first JSON object in a reply; `None` when there is none."""
    decoder = json.JSONDecoder()
    at = reply.find("{")
    for _ in range(100):
        if at < 0:
            return None
        try:
            value, _ = decoder.raw_decode(reply, at)
        except (ValueError, RecursionError):
            at = reply.find("{", at + 1)
            continue
        return value if isinstance(value, dict) else None
    return None

"""Toy notes, and a model that reads them."""

from __future__ import annotations

import re

from accordeur.core.rendering import Rendered

NOTE = re.compile(r"(\w+ \w+) called about (.+?)\. ")


class Reader:
    """Gives the matter of the caller asked for, else that of the first note; counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, prompt: Rendered) -> str:
        self.calls += 1
        text = prompt.messages[-1].text
        notes: dict[str, str] = dict(NOTE.findall(text))
        asked = re.search(r"What did (.+?) call about", text)
        if asked is None:  # the speed of the model is measured, too
            return "no idea"
        return notes.get(asked[1], next(iter(notes.values()), "no idea"))

"""Text of models, data and tasks made safe to look at, on a page and on a terminal.

Escaping markup is not enough: ESC drives a terminal, and a direction override makes a line read
other than it is written. Such characters are replaced by a visible name, never dropped in silence,
so that a reader sees that something was there.
"""

from __future__ import annotations

import re

_REPLACED: dict[int, str] = {
    **{code: f"\\x{code:02x}" for code in range(0x20) if chr(code) not in "\n\t"},
    # Delete and C1, of which 0x9b alone starts a terminal sequence.
    **{code: f"\\x{code:02x}" for code in range(0x7F, 0xA0)},
    # Direction embeddings, overrides and isolates reach past the text they stand in.
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    0x2028: "\n",
    0x2029: "\n",
}
_UNSAFE = re.compile(f"[{''.join(map(re.escape, map(chr, _REPLACED)))}\ud800-\udfff]")
_MARKS = re.compile("[\u200e\u200f\u061c]")


def visible(text: str) -> str:
    """The text with control characters, direction overrides and lone surrogates made visible.

    Line ends and tabs stay; `\\r\\n` becomes one line end.
    """
    return _UNSAFE.sub(_name, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`visible`, with white space collapsed and direction marks removed: for a terminal's cell."""
    return " ".join(_MARKS.sub("", visible(text)).split())


def shorten(text: str, most: int) -> str:
    """At most so many characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"


def _name(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _REPLACED.get(code, f"\\u{code:04x}")

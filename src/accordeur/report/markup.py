"""HTML and SVG from Python: every text is escaped unless it was built here.

`Markup` marks what this module built. Everything else that reaches `tag` is a text of a model, of
data or of ours, and is cleaned (`visible`) and escaped, in one place.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import Any

from accordeur.report.plain_text import visible


class Markup(str):
    """HTML that is safe to write as it stands. Only `tag`, `join`, `prose` and `payload` make it
    of texts that come from outside."""

    __slots__ = ()


Child = str | None | Iterable["Child"]
Attribute = str | int | float | bool | None

_VOID = frozenset({"meta", "link", "br", "hr", "input", "wbr"})


def tag(element: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element.

    Args:
        element: its name.
        children: texts (escaped), `Markup`, nested sequences; `None` is left out.
        attributes: `class_` is `class`, other underscores are dashes; `None` and `False` are left
            out, `True` stands alone. Floats are written with two decimals at most.
    """
    pairs = "".join(_attribute(key, value) for key, value in attributes.items())
    if element in _VOID:
        return Markup(f"<{element}{pairs}>")
    return Markup(f"<{element}{pairs}>{join(*children)}</{element}>")


def join(*children: Child) -> Markup:
    """Children one after another."""
    pieces = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            pieces.append(str(child))
        elif isinstance(child, str):
            pieces.append(html.escape(visible(child)))
        else:
            pieces.append(str(join(*child)))
    return Markup("".join(pieces))


def prose(text: str) -> Markup:
    """A sentence in which names stand in `backticks`."""
    parts = re.split(r"`([^`]*)`", text)
    return join(tag("code", part) if place % 2 else part for place, part in enumerate(parts))


def payload(identifier: str, data: Any) -> Markup:
    """Plain data for our script, in a block that the browser does not run.

    All texts are `visible`; `<`, `>`, `&` and the line separators are written as escapes, so that
    no text can end the block or begin a comment.

    Raises:
        ValueError: the data holds NaN or an infinity.
    """
    text = json.dumps(_clean(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{html.escape(identifier)}">{text}</script>')


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    if isinstance(value, float):
        value = f"{value:.2f}".rstrip("0").rstrip(".")
    return f' {name}="{html.escape(visible(str(value)))}"'

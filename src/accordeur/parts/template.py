"""Jinja templates that yield segments instead of a string.

Every `{{ expression }}` becomes a segment of its own, marked as data; the text around it stays
static. The values never pass through the output string, so no value can look like a boundary.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from accordeur.core.errors import TaskError
from accordeur.core.rendering import Segment

_EDGE = "\x00"


class _Collector:
    """Replaces each printed value by a numbered mark and keeps the value aside."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def __call__(self, value: Any) -> str:
        if isinstance(value, StrictUndefined):
            str(value)  # raises UndefinedError with the variable's name
        self.values.append("" if value is None else str(value))
        return f"{_EDGE}{len(self.values) - 1}{_EDGE}"


@lru_cache(maxsize=64)
def _check(source: str) -> None:
    if _EDGE in source:
        raise TaskError("The prompt template holds a NUL character.", hint="remove it")
    try:
        SandboxedEnvironment(undefined=StrictUndefined).parse(source)
    except TemplateSyntaxError as error:
        raise TaskError(
            f"The prompt template cannot be read: line {error.lineno}: {error.message}.",
            hint="templates are Jinja: {{ input }}, {% if context %}...{% endif %}",
        ) from None


def render_segments(
    source: str, variables: Mapping[str, Any], *, trim: bool, shared: bool
) -> tuple[Segment, ...]:
    """Render a template into static and data segments, empty ones left out.

    Args:
        source: Jinja text.
        variables: what the row offers.
        trim: data segments may be cut from the left when the prompt does not fit.
        shared: the same for every request (a fixed demonstration).

    Raises:
        TaskError: syntax error, undefined variable, or an operation the sandbox forbids.
    """
    _check(source)
    collect = _Collector()
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, finalize=collect, keep_trailing_newline=True
    )
    try:
        text = environment.from_string(source).render(dict(variables))
    except UndefinedError as error:
        raise TaskError(
            f"The prompt template cannot be filled: {error.message}.",
            hint=f"a row offers: {', '.join(sorted(variables)) or 'nothing'}",
        ) from None
    except SecurityError as error:
        raise TaskError(
            f"The prompt template does something the sandbox forbids: {error}.",
            hint="templates may print and test the row's fields, nothing else",
        ) from None
    segments = []
    for position, piece in enumerate(text.split(_EDGE)):
        is_value = position % 2 == 1
        content = collect.values[int(piece)] if is_value else piece
        if content:
            segments.append(
                Segment(
                    content,
                    kind="data" if is_value else "static",
                    shared=shared,
                    trim=trim and is_value,
                )
            )
    return tuple(segments)

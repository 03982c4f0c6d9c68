"""Jinja templates that yield segments instead of a string.

Every `{{ expression }}` becomes a segment of its own, marked as data; the text around it stays
static. The values never pass through the output string, so no value can look like a boundary.

Constructs that would take printed values back in as text (macros, blocks, `{% set %}` and
`{% filter %}` with a body, recursive loops) are refused, because there the boundary could not be
kept; so is whatever loads other templates. Printing, tests, loops, filters on expressions and plain
`{% set %}` remain.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
    pass_context,
)
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from accordeur.core.errors import TaskError
from accordeur.core.rendering import Segment

_EDGE = "\x00"
_VALUES = "\x00values"  # no template can spell this name
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.AssignBlock: "set block",
    nodes.Block: "block",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from import",
    nodes.Extends: "extends",
}
_HINT = "templates are Jinja: {{ input }}, {% if context %}...{% endif %}"


@pass_context
def _keep(context: Context, value: Any) -> str:
    """Put a printed value aside and print its numbered mark."""
    if isinstance(value, StrictUndefined):
        str(value)  # raises UndefinedError with the variable's name
    values: list[str] = context[_VALUES]
    values.append("" if value is None else str(value))
    return f"{_EDGE}{len(values) - 1}{_EDGE}"


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, finalize=_keep, keep_trailing_newline=True
    )
    # Chance has no place in a prompt: the same row must give the same text.
    del environment.globals["lipsum"]
    del environment.filters["random"]
    return environment


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    """The template, compiled once: a run renders it for every row and demonstration."""
    if _EDGE in source:
        raise TaskError("The prompt template holds a NUL character.", hint="remove it")
    environment = _environment()
    try:
        tree = environment.parse(source)
        for node in tree.find_all(nodes.Node):
            recursive = isinstance(node, nodes.For) and node.recursive
            name = "recursive loop" if recursive else _REFUSED.get(type(node))
            if name is not None:
                raise TaskError(
                    f"The prompt template uses `{name}` in line {node.lineno}, which is not "
                    "possible in prompts.",
                    hint=_HINT,
                )
        return environment.from_string(source)
    except TemplateSyntaxError as error:
        raise TaskError(
            f"The prompt template cannot be read: line {error.lineno}: {_said(error.message)}.",
            hint=_HINT,
        ) from None


def _said(message: object) -> str:
    return str(message).rstrip(".")


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
        TaskError: syntax error, undefined variable, an operation the sandbox forbids, or any other
            mistake the template makes with this row.
    """
    template = _compiled(source)
    values: list[str] = []
    try:
        text = template.render({**variables, _VALUES: values})
    except UndefinedError as error:
        raise TaskError(
            f"The prompt template cannot be filled: {_said(error.message)}.",
            hint=f"a row offers: {', '.join(sorted(variables)) or 'nothing'}",
        ) from None
    except SecurityError as error:
        raise TaskError(
            f"The prompt template does something the sandbox forbids: {_said(error)}.",
            hint="templates may print and test the row's fields, nothing else",
        ) from None
    except Exception as error:  # the template is the user's program; whatever it raises is theirs
        raise TaskError(
            f"The prompt template cannot be filled: {type(error).__name__}: {_said(error)}.",
            hint=_HINT,
        ) from error
    segments = []
    for position, piece in enumerate(text.split(_EDGE)):
        is_value = position % 2 == 1
        content = values[int(piece)] if is_value else piece
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

"""Templates of a config filled with the fields of a case.

Jinja as in prompts elsewhere (`parts.template`): sandboxed, and a variable that is not there is an
error, where promptfoo's Nunjucks prints nothing. Values are printed as JSON writes them: `true`,
not `True`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accordeur.bench.matrix.matrix import Case, Check, Prompt
from accordeur.core.errors import TaskError
from accordeur.core.rendering import Message, Rendered
from accordeur.measure.assertions.assertion import Asked
from accordeur.measure.assertions.plain import as_text
from accordeur.parts.template import render_segments


class _Mapping(dict[str, Any]):
    def __str__(self) -> str:
        return json.dumps(self, ensure_ascii=False)


class _List(list[Any]):
    def __str__(self) -> str:
        return json.dumps(self, ensure_ascii=False)


class _Number(float):
    def __str__(self) -> str:
        return as_text(float(self))


class _Truth(int):
    def __str__(self) -> str:
        return "true" if self else "false"


def variables(case: Case) -> dict[str, Any]:
    """The case's fields, as templates show them."""
    return {name: _shown(value) for name, value in case.fields.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return _Truth(value)
    if isinstance(value, float):
        return _Number(value)
    if isinstance(value, dict):
        return _Mapping({key: _shown(item) for key, item in value.items()})
    if isinstance(value, list):
        return _List(_shown(item) for item in value)
    return value


def rendered(prompt: Prompt, case: Case, shown: Mapping[str, Any]) -> Rendered:
    """A prompt with a case in it.

    Args:
        shown: `variables` of the case.

    Raises:
        TaskError: a template cannot be filled; the message says with which case.
    """
    messages = []
    last = len(prompt.turns) - 1
    static = True  # everything so far is the same for every case
    for number, (role, source) in enumerate(prompt.turns):
        whole = f"{case.before}{source}{case.after}" if number == last else source
        try:
            segments = render_segments(whole, shown, trim=True, shared=False)
        except TaskError as error:
            raise TaskError(f"{case.place}: {error.message}", hint=error.hint) from None
        marked = []
        for one in segments:
            static = static and one.kind == "static"
            marked.append(replace(one, shared=static))
        messages.append(Message(role, tuple(marked)))
    if not messages[-1].text.strip():
        raise TaskError(f"{case.place}: the prompt `{prompt.label}` is empty.")
    return Rendered(tuple(messages), notes={"chat": prompt.chat})


def fill(text: str, shown: Mapping[str, Any], place: str) -> str:
    """A text with its templates filled.

    Raises:
        TaskError: they cannot be.
    """
    if "{{" not in text and "{%" not in text:
        return text
    try:
        segments = render_segments(text, shown, trim=False, shared=False)
    except TaskError as error:
        raise TaskError(f"{place}: {error.message}", hint=error.hint) from None
    return "".join(one.text for one in segments)


def asked_of(check: Check, case: Case, shown: Mapping[str, Any]) -> Asked:
    """An assertion with the case's fields in it; code and schemas are never templates.

    Raises:
        TaskError: a template cannot be filled.
    """
    value = check.value
    if check.kind != "python":
        if isinstance(value, str):
            value = fill(value, shown, case.place)
        elif isinstance(value, list):
            value = [fill(v, shown, case.place) if isinstance(v, str) else v for v in value]
    return Asked(check.kind, value, check.threshold, check.judge)

"""The slot `prompt`: what the model is told, and how a row is laid out.

On disk it is `prompt.md`: YAML front matter with the instruction and an optional system message,
then the Jinja template of a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from accordeur.core.errors import BundleError
from accordeur.core.part import Slot
from accordeur.core.rendering import Request, Segment
from accordeur.core.task import Label, Turn
from accordeur.parts.template import render_segments

ROW_TEMPLATE = "{% if context %}{{ context }}\n\n{% endif %}{{ input }}"
"""The default layout of a row: its context if any, then its input (DESIGN P3)."""

_FRONT_MATTER = re.compile(r"---\n(?P<head>.*?^)---\n(?P<template>.*)", re.DOTALL | re.MULTILINE)
# The head ends at the first line that is nothing but dashes: YAML indents every further line of a
# value, so no instruction can hold such a line, and the template may hold as many as it likes.


@dataclass(frozen=True, slots=True)
class Prompt:
    """Instruction, optional system message and row template.

    Attributes:
        instruction: stands once, at the start of the first user turn; already complete, label list
            included.
        template: Jinja text of a row; sees `input`, `context` and every named field.
        system: system message; `None` keeps the chat template's default.
    """

    slot: ClassVar[Slot] = "prompt"

    instruction: str
    template: str = ROW_TEMPLATE
    system: str | None = None

    @property
    def trained_parameters(self) -> int:
        """None: words are not fitted numbers."""
        return 0

    def describe(self) -> str:
        """A few words."""
        return "instruction"

    def files(self) -> Mapping[str, bytes]:
        """`prompt.md`."""
        front: dict[str, Any] = {"instruction": self.instruction}
        if self.system is not None:
            front["system"] = self.system
        head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=100)
        if yaml.safe_load(head) != front:
            # PyYAML folds rare line breaks such as U+0085 unless the text is double-quoted.
            head = yaml.safe_dump(front, default_style='"', sort_keys=False, width=100)
        return {"prompt.md": f"---\n{head}---\n{self.template}".encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Prompt:
        """Read `prompt.md` back.

        Raises:
            BundleError: it is not what `files` writes.
        """
        try:
            whole = _FRONT_MATTER.fullmatch(files["prompt.md"].decode("utf-8"))
            if whole is None:
                raise ValueError("no front matter")
            front = yaml.safe_load(whole["head"])
            return cls(
                instruction=str(front["instruction"]),
                template=whole["template"],
                system=None if front.get("system") is None else str(front["system"]),
            )
        except (KeyError, ValueError, AttributeError, TypeError, yaml.YAMLError) as error:
            raise BundleError(
                "`prompt.md` cannot be read.", hint="its front matter needs `instruction`"
            ) from error

    def row(
        self, request: Request, *, shared: bool = False
    ) -> tuple[tuple[Turn, tuple[Segment, ...]], ...]:
        """The turns of a request; anything but a conversation is one user turn.

        Every user turn of a conversation is laid out as the row it was when it was asked; the
        request's context belongs to the last turn. The other turns stand as they are.

        Args:
            request: what is asked.
            shared: the request is part of every prompt (a fixed demonstration).
        """
        if isinstance(request.input, tuple):
            last = len(request.input) - 1
            return tuple(
                (turn, self._row({"input": turn.content, "context": context}, shared))
                if turn.role == "user"
                else (turn, (Segment(turn.content, "data", shared=shared, trim=not shared),))
                for at, turn in enumerate(request.input)
                for context in (request.context if at == last else None,)
            )
        fields = dict(request.input) if isinstance(request.input, Mapping) else {}
        variables = {"input": request.text, "context": request.context, **fields}
        return ((Turn("user", ""), self._row(variables, shared)),)

    def _row(self, variables: Mapping[str, str | None], shared: bool) -> tuple[Segment, ...]:
        return render_segments(self.template, variables, trim=not shared, shared=shared)


def full_instruction(instruction: str, labels: tuple[Label, ...]) -> str:
    """The instruction, with "Answer with one of: ..." unless it already names every label."""
    folded = instruction.casefold()
    if not labels or all(label.text.casefold() in folded for label in labels):
        return instruction
    listed = ", ".join(label.text for label in labels)
    return (
        f"{instruction} Answer with one of: {listed}."
        if instruction
        else (f"Answer with one of: {listed}.")
    )

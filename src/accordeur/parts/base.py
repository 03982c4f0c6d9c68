"""The candidate every plan starts from: the task's own words on the base model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from accordeur.core.candidate import Candidate
from accordeur.core.model import Capability, Chooser, Model
from accordeur.core.task import Example, TaskBrief
from accordeur.parts.decoding import Decoding, answer_limit
from accordeur.parts.prompt import ROW_TEMPLATE, Prompt, full_instruction


def base_candidate(task: TaskBrief, name: str, model: Model, train: Sequence[Example]) -> Candidate:
    """The instruction as given, zero-shot, through the model's own chat template.

    Label tasks score their labels where the model can, else write one, held to them where it can
    be; text tasks generate greedily within `answer_limit`.
    """
    if task.kind == "labels" and Capability.SCORE in model.capabilities:
        decoding = Decoding("score")
    else:
        answers = [row.expected[0] for row in train if row.expected]
        if task.kind == "labels":
            answers = [task.label_text(name) for name in answers]
        decoding = Decoding("generate", max_tokens=answer_limit(answers, model.count_tokens))
        if task.kind == "labels" and isinstance(model, Chooser):
            decoding = replace(decoding, choose=model.choosing)
    prompt = Prompt(
        full_instruction(task.instruction, task.labels), template=task.template or ROW_TEMPLATE
    )
    return Candidate(task, name).with_part(prompt).with_part(decoding)

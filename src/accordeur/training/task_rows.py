"""A task's train rows, rendered as the candidate renders them in use, as training rows."""

from __future__ import annotations

from collections.abc import Sequence

from accordeur.core.candidate import Candidate
from accordeur.core.lever import FitContext
from accordeur.core.model import Embedder, Model, ModelSource, Reranker
from accordeur.core.rendering import Rendered, Request
from accordeur.core.task import Example
from accordeur.models.local.pieces import PromptTokenizer
from accordeur.parts.answering.prompting import Prompting
from accordeur.parts.answering.retrieving import prompt_rooms
from accordeur.parts.pattern import Reason
from accordeur.parts.retrieval import Retrieval
from accordeur.parts.retrieval.query_writer import QueryWriter
from accordeur.parts.retrieval.retriever import Retriever, told_of_passages
from accordeur.training.rows import TrainingRow, training_rows


def task_rows(
    candidate: Candidate,
    train: Sequence[Example],
    context: FitContext,
    chat: PromptTokenizer,
) -> list[TrainingRow]:
    """Prompts of the train rows with the answers that are to follow.

    Args:
        candidate: its prompt and demonstrations are shown; a row never stands among its own. Where
            it reasons, rows with worked steps alone are learned, steps and all.
        train: rows with an answer.
        context: gives the models.
        chat: tokenizer of the model, with the candidate's virtual tokens.

    Raises:
        TaskError: a row cannot be trained on.
    """
    if isinstance(candidate.parts.get("pattern"), Reason):
        train = [row for row in train if row.steps]
    rendered = _rendered(candidate, train, _Source(context), context.model)
    answers = [_written(candidate, row) for row in train]
    return training_rows(chat, rendered, answers, context.model.context_window)


def _rendered(
    candidate: Candidate, rows: Sequence[Example], source: ModelSource, model: Model
) -> list[Rendered]:
    """The prompts; where documents are looked up, with the passages that are found for each row."""
    requests = [Request.from_example(row, training=True) for row in rows]
    part = candidate.part(Retrieval)
    if part is None:
        return Prompting(candidate, source).render(requests)
    plain = Prompting(told_of_passages(candidate, part.words), source)
    rooms = prompt_rooms(candidate, model, plain.render(requests))
    gold = [row.spans for row in rows]
    writer = None if part.queries is None else QueryWriter(part.queries, model)
    looked = Retriever(part, source, writer).look(requests, rooms, model.count_tokens, gold)
    return plain.render([one.request for one in looked])


def _written(candidate: Candidate, row: Example) -> str:
    """The answer as the candidate is to write it."""
    labelled = candidate.task.kind == "labels"
    answer = candidate.task.label_text(row.label) if labelled else (row.expected or ("",))[0]
    pattern = candidate.parts.get("pattern")
    return pattern.worked(row.steps, answer) if isinstance(pattern, Reason) else answer


class _Source:
    """The models of a `FitContext` as a `ModelSource`."""

    def __init__(self, context: FitContext) -> None:
        self._context = context

    def model(self, name: str) -> Model:
        return self._context.model

    def embedder(self, name: str) -> Embedder:
        return self._context.embedder

    def reranker(self, name: str) -> Reranker:
        return self._context.reranker(name)

"""From a conversation to the request that goes on with it: what chat and server share."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.model import FloatArray, Model, Sampling
from accordeur.core.rendering import Message, Rendered, Request, Segment
from accordeur.core.task import Turn
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.answering.texts import text_sampling
from accordeur.parts.decoding import Decoding
from accordeur.parts.memory.memory import Exchange, Means, Memory, Remembered, sent
from accordeur.parts.pattern import Conversation


def next_request(
    memory: Memory,
    earlier: Sequence[Exchange],
    question: str,
    answerer: Answerer,
    *,
    embed: Callable[[Sequence[str]], FloatArray],
    summaries: MutableMapping[str, str],
    system: str = "",
    reserved: int = 0,
) -> tuple[Request, Remembered]:
    """What is asked of a candidate, and what its memory did to get there.

    A question that nothing stands before is the same request as one that was never part of a
    conversation.

    Args:
        memory: chooses among earlier exchanges. A candidate without a language model sees none.
        earlier: exchanges so far, in order.
        question: the new turn.
        answerer: of the candidate.
        embed: unit vectors, for recall.
        summaries: made before, by key.
        system: the conversation's own system message; it is added to the candidate's.
        reserved: tokens that are to stay free, for passages of documents.

    Raises:
        AccordeurError: as `Memory.remember`, or the prompt cannot be rendered.
    """
    model = answerer.model
    if model is None:
        return Request(question), Remembered(sent((), question), 0, len(earlier))
    if not earlier:  # nothing to choose among, and an endpoint need not tell its context yet
        return as_request(sent((), question), system), Remembered(sent((), question), 0)

    def cost(turns: Sequence[Turn]) -> int:
        return model.prompt_tokens(answerer.render([as_request(turns, system)])[0])[0]

    def write(instruction: str, text: str, limit: int) -> str:
        return _written(model, instruction, text, limit)

    room = max(1, prompt_room(answerer) - reserved)
    means = Means(room, cost, model.count_tokens, write, embed, summaries)
    remembered = memory.remember(earlier, question, means)
    return as_request(remembered.turns, system), remembered


def as_request(turns: Sequence[Turn], system: str = "") -> Request:
    """Turns as a request: a lone question is a text."""
    if system:
        return Request((Turn("system", system), *turns))
    return Request(tuple(turns)) if len(turns) > 1 else Request(turns[0].content)


def prompt_room(answerer: Answerer) -> int:
    """Tokens that a prompt may take: the context less what the answer may take."""
    assert answerer.model is not None
    window = answerer.model.context_window
    return max(1, window - min(_answer_tokens(answerer.candidate, answerer.model), window // 2))


def _answer_tokens(candidate: Candidate, model: Model) -> int:
    decoding = candidate.part(Decoding)
    pattern = candidate.parts.get("pattern")
    scores = candidate.task.kind == "labels" and (decoding is None or decoding.mode == "score")
    if scores and pattern is None:
        return 1 + max(model.count_tokens(label.text) for label in candidate.task.labels)
    calls = pattern.most_calls if isinstance(pattern, Conversation) else 1
    return calls * text_sampling(candidate).max_tokens


def _written(model: Model, instruction: str, text: str, limit: int) -> str:
    """The base model's own words, outside the candidate's prompt.

    Raises:
        ModelError: it has none.
    """
    words = (Segment(f"{instruction}\n\n"), Segment(text, "data", trim=True))
    prompt = Rendered((Message("user", words),))
    made = [
        one
        for batch in model.generate([prompt], Sampling(max_tokens=limit))
        for one in batch.results
    ]
    if made[0].error or not made[0].text.strip():
        raise ModelError(
            f"No summary of the conversation could be had: {made[0].error or 'it is empty'}.",
            hint="another memory needs none: /memory window",
        )
    return made[0].text

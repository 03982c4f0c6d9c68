"""From a candidate to the thing that answers."""

from __future__ import annotations

from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.model import Capability, ModelSource
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.decoding import Decoding
from accordeur.parts.pattern import Conversation


def assemble(
    candidate: Candidate,
    source: ModelSource,
    *,
    cache: AnswerCache | None = None,
    repeat: int = 0,
) -> Answerer:
    """What answers `(messages, fields, documents)` for a candidate.

    Args:
        candidate: parts and the name of the base model.
        source: gives models by name.
        cache: where model calls are looked up first.
        repeat: index of a repeated measurement.

    Raises:
        BundleError: the candidate has neither a classifier nor a base model.
        ModelError: the model cannot be found or loaded.
    """
    if "classifier" in candidate.parts:
        from accordeur.parts.answering.classifier import ClassifierAnswerer

        return ClassifierAnswerer(candidate, source)
    if candidate.base is None:
        raise BundleError(
            "The candidate has neither a classifier nor a base model.",
            hint="save the bundle again from its run",
        )
    if "retrieval" in candidate.parts:
        from accordeur.parts.answering.retrieving import retrieving

        return retrieving(
            candidate, source, lambda plain: assemble(plain, source, cache=cache, repeat=repeat)
        )
    model = source.model(candidate.base)
    decoding = candidate.part(Decoding)
    pattern = candidate.parts.get("pattern")
    scores = candidate.task.kind == "labels" and (decoding is None or decoding.mode == "score")
    if scores and pattern is None and Capability.SCORE in model.capabilities:
        from accordeur.parts.answering.labels import LabelAnswerer

        return LabelAnswerer(candidate, source, model, cache, repeat)
    answerer: Answerer
    if isinstance(pattern, Conversation):
        from accordeur.parts.answering.conversation import ConversationAnswerer

        answerer = ConversationAnswerer(candidate, source, model, cache, repeat)
    else:
        from accordeur.parts.answering.texts import TextAnswerer

        answerer = TextAnswerer(candidate, source, model, cache, repeat)
    if decoding is not None and decoding.samples > 1:
        from accordeur.parts.answering.votes import VotingAnswerer

        return VotingAnswerer(answerer, decoding.samples)
    return answerer

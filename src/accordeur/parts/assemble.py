"""From a candidate to the thing that answers."""

from __future__ import annotations

from accordeur.core.cache import AnswerCache
from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError
from accordeur.core.model import Capability, Model, ModelSource
from accordeur.parts.answering.answerer import Answerer
from accordeur.parts.answering.unscored import ScoredWherePossible, Tell, tell_unscored
from accordeur.parts.decoding import Decoding
from accordeur.parts.pattern import Conversation


def assemble(
    candidate: Candidate,
    source: ModelSource,
    *,
    cache: AnswerCache | None = None,
    repeat: int = 0,
    unscored: Tell | None = None,
) -> Answerer:
    """What answers `(messages, fields, documents)` for a candidate.

    Args:
        candidate: parts and the name of the base model.
        source: gives models by name.
        cache: where model calls are looked up first.
        repeat: index of a repeated measurement.
        unscored: told when labels that should be scored are written and read, because the model
            tells no log-probabilities. Without it a model that says so only when it is asked is an
            error.

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
            candidate,
            source,
            lambda plain: assemble(plain, source, cache=cache, repeat=repeat),
            cache,
            repeat,
        )
    model = source.model(candidate.base)
    decoding = candidate.part(Decoding)
    pattern = candidate.parts.get("pattern")
    scores = candidate.task.kind == "labels" and (decoding is None or decoding.mode == "score")
    if not scores or pattern is not None:
        return _writing(candidate, source, model, cache, repeat)
    if Capability.SCORE not in model.capabilities:
        if unscored is not None:
            tell_unscored(candidate, unscored)
        return _writing(candidate, source, model, cache, repeat)
    from accordeur.parts.answering.labels import LabelAnswerer

    scored = LabelAnswerer(candidate, source, model, cache, repeat)
    if unscored is None or not model.identity.remote:
        return scored
    return ScoredWherePossible(
        scored, lambda: _writing(candidate, source, model, cache, repeat), unscored
    )


def _writing(
    candidate: Candidate,
    source: ModelSource,
    model: Model,
    cache: AnswerCache | None,
    repeat: int,
) -> Answerer:
    pattern, decoding = candidate.parts.get("pattern"), candidate.part(Decoding)
    answerer: Answerer
    if isinstance(pattern, Conversation):
        from accordeur.parts.answering.conversation import ConversationAnswerer

        answerer = ConversationAnswerer(candidate, source, model, cache, repeat)
    elif decoding is not None and decoding.mode == "quote":
        from accordeur.parts.answering.quoting import QuotingAnswerer

        answerer = QuotingAnswerer(candidate, source, model, cache, repeat)
    else:
        from accordeur.parts.answering.texts import TextAnswerer

        answerer = TextAnswerer(candidate, source, model, cache, repeat)
    if decoding is not None and decoding.samples > 1:
        from accordeur.parts.answering.votes import VotingAnswerer

        return VotingAnswerer(answerer, decoding.samples)
    return answerer

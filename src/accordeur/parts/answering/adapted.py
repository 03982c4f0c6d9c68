"""The base model with what training added to it."""

from __future__ import annotations

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.model import Adaptable, Adaptation, Model
from accordeur.core.part import Slot
from accordeur.parts.soft_prompt import KeyValuePrefix, SoftPrompt
from accordeur.parts.weights import FullWeights, LoraWeights


def adaptation_of(candidate: Candidate) -> Adaptation | None:
    """What training added, or `None` for a base model as it is."""
    soft, weights = candidate.parts.get("soft_prompt"), candidate.parts.get("weights")
    if soft is None and weights is None:
        return None
    return Adaptation(
        soft_prompt=soft.vectors if isinstance(soft, SoftPrompt) else None,
        prefix=soft.stored if isinstance(soft, KeyValuePrefix) else None,
        deltas=weights.deltas if isinstance(weights, LoraWeights) else {},
        weights=weights.tensors if isinstance(weights, FullWeights) else b"",
    )


def adapted_model(candidate: Candidate, model: Model) -> tuple[Model, str]:
    """The model that answers for a candidate, and a fingerprint of what was added.

    The fingerprint is empty for a base model as it is.

    Raises:
        ModelError: the model cannot be adapted, or not with these parts.
    """
    adaptation = adaptation_of(candidate)
    if adaptation is None:
        return model, ""
    if not isinstance(model, Adaptable):
        raise ModelError(
            f"`{candidate.base}` cannot be adapted: its weights are not here.",
            hint="use a local model",
        )
    added = [candidate.parts[slot] for slot in _SLOTS if slot in candidate.parts]
    files = {name: digest_bytes(data) for part in added for name, data in part.files().items()}
    return model.adapted(adaptation), digest(files)


_SLOTS: tuple[Slot, ...] = ("soft_prompt", "weights")

"""The base model with what training added to it."""

from __future__ import annotations

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.model import Adaptable, Adaptation, Model
from accordeur.parts.soft_prompt import SoftPrompt
from accordeur.parts.weights import LoraWeights


def adapted_model(candidate: Candidate, model: Model) -> tuple[Model, str]:
    """The model that answers for a candidate, and a fingerprint of what was added.

    The fingerprint is empty for a base model as it is.

    Raises:
        ModelError: the model cannot be adapted, or not with these parts.
    """
    soft, weights = candidate.part(SoftPrompt), candidate.part(LoraWeights)
    added = [part for part in (soft, weights) if part is not None]
    if not added:
        return model, ""
    if not isinstance(model, Adaptable):
        raise ModelError(
            f"`{candidate.base}` cannot be adapted: its weights are not here.",
            hint="use a local model",
        )
    adaptation = Adaptation(
        soft.vectors if soft is not None else None, weights.deltas if weights is not None else {}
    )
    files = {name: digest_bytes(data) for part in added for name, data in part.files().items()}
    return model.adapted(adaptation), digest(files)

"""The base model with what training added to it."""

from __future__ import annotations

from accordeur.core.candidate import Candidate
from accordeur.core.errors import ModelError
from accordeur.core.fingerprint import digest, digest_bytes
from accordeur.core.model import Adaptable, Adaptation, Model
from accordeur.parts.soft_prompt import SoftPrompt


def adapted_model(candidate: Candidate, model: Model) -> tuple[Model, str]:
    """The model that answers for a candidate, and a fingerprint of what was added.

    The fingerprint is empty for a base model as it is.

    Raises:
        ModelError: the model takes no soft prompt, or not this one.
    """
    soft = candidate.part(SoftPrompt)
    if soft is None:
        return model, ""
    if not isinstance(model, Adaptable):
        raise ModelError(
            f"`{candidate.base}` takes no soft prompt: its weights are not here.",
            hint="use a local model",
        )
    files = {name: digest_bytes(data) for name, data in soft.files().items()}
    return model.adapted(Adaptation(soft.vectors)), digest(files)

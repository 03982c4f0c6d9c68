"""The slot `weights`: what fine-tuning changed in the base model, an adapter or all of it."""

from __future__ import annotations

from collections.abc import Mapping

from accordeur.parts.weights.full import FullWeights
from accordeur.parts.weights.lora import LoraWeights

__all__ = ["FullWeights", "LoraWeights", "load"]


def load(files: Mapping[str, bytes]) -> LoraWeights | FullWeights:
    """Whichever of the two the files hold.

    Raises:
        BundleError: neither, or damaged.
    """
    if any(name.startswith("weights/") for name in files):
        return FullWeights.from_files(files)
    return LoraWeights.from_files(files)

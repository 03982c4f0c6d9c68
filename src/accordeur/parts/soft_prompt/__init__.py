"""The slot `soft_prompt`: virtual tokens, or trained keys and values of the prompt's beginning."""

from __future__ import annotations

import json
from collections.abc import Mapping

from accordeur.core.errors import BundleError
from accordeur.parts.soft_prompt.key_values import KeyValuePrefix
from accordeur.parts.soft_prompt.virtual_tokens import Mode, SoftPrompt

__all__ = ["KeyValuePrefix", "Mode", "SoftPrompt", "load"]


def load(files: Mapping[str, bytes]) -> SoftPrompt | KeyValuePrefix:
    """Whichever of the two the files hold.

    Raises:
        BundleError: neither, or damaged.
    """
    try:
        kind = json.loads(files["soft_prompt/adapter_config.json"])["peft_type"]
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            "The soft prompt of the bundle cannot be read.", hint="save the bundle again"
        ) from error
    if kind == "PREFIX_TUNING":
        return KeyValuePrefix.from_files(files)
    return SoftPrompt.from_files(files)

"""The slot `demonstrations`: worked examples shown before the row, fixed or chosen per request."""

from __future__ import annotations

import json
from collections.abc import Mapping

from accordeur.core.errors import BundleError
from accordeur.parts.demonstrations.demonstration import Demonstration, read_jsonl
from accordeur.parts.demonstrations.fixed import FixedDemonstrations
from accordeur.parts.demonstrations.nearest import NearestDemonstrations

__all__ = ["Demonstration", "FixedDemonstrations", "NearestDemonstrations", "load"]


def load(files: Mapping[str, bytes]) -> FixedDemonstrations | NearestDemonstrations:
    """Read the slot's files back.

    Raises:
        BundleError: they are not what a demonstrations part writes.
    """
    from safetensors import SafetensorError

    if "demonstrations.jsonl" not in files:
        raise BundleError(
            "The demonstrations lack `demonstrations.jsonl`.",
            hint="save the bundle again from its run",
        )
    shown = read_jsonl(files["demonstrations.jsonl"])
    if "demonstrations.json" not in files:
        return FixedDemonstrations(shown)
    try:
        return NearestDemonstrations.from_settings(
            shown,
            json.loads(files["demonstrations.json"]),
            files["demonstrations.safetensors"],
        )
    except (KeyError, ValueError, TypeError, SafetensorError) as error:
        raise BundleError(
            "`demonstrations.json` or its vectors cannot be read.",
            hint="save the bundle again from its run",
        ) from error

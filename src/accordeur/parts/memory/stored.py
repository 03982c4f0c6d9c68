"""How a memory stands in a bundle: `memory.json`, its kind and its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def stored(kind: str, settings: Mapping[str, Any]) -> dict[str, bytes]:
    """The one file of a memory."""
    return {"memory.json": json.dumps({"kind": kind, **settings}, indent=2).encode()}

"""How a pattern stands in a bundle: `pattern.json`, its kind and its settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def stored(kind: str, settings: Mapping[str, Any]) -> dict[str, bytes]:
    """The one file of a pattern."""
    data = {"kind": kind, **settings}
    return {"pattern.json": json.dumps(data, indent=2, ensure_ascii=False).encode()}

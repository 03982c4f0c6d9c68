"""The slot `pattern`: how many calls an answer takes and what each is asked.

Without it, one call answers directly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from accordeur.core.errors import BundleError
from accordeur.parts.pattern.chain import LeastToMost
from accordeur.parts.pattern.conversation import Asked, Conversation
from accordeur.parts.pattern.critique import Critique
from accordeur.parts.pattern.reason import Reason

__all__ = ["Asked", "Conversation", "Critique", "LeastToMost", "Pattern", "Reason", "load"]

Pattern = Reason | Critique | LeastToMost

_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Pattern]] = {
    kind.kind: kind.from_settings for kind in (Reason, Critique, LeastToMost)
}


def load(files: Mapping[str, bytes]) -> Pattern:
    """Read `pattern.json` back.

    Raises:
        BundleError: it is not what a pattern writes.
    """
    try:
        data = json.loads(files["pattern.json"])
        found = _KINDS[data["kind"]](data)
        if found.max_tokens < 1:
            raise ValueError("no room for an answer")
        return found
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(
            "`pattern.json` cannot be read.", hint=f"its `kind` is one of {', '.join(_KINDS)}"
        ) from error

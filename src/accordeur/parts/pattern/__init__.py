"""The slot `pattern`: how many calls an answer takes and what each is asked.

Without it, one call answers directly. An outside package adds a pattern of several calls: a part
that is a `Conversation`, stored with `stored`, and an entry point `pattern.KIND` of the group
`accordeur.parts` that makes it from its settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from accordeur.core.errors import BundleError, PlanError
from accordeur.core.registry import Registry
from accordeur.parts.pattern.chain import LeastToMost
from accordeur.parts.pattern.conversation import Asked, Conversation
from accordeur.parts.pattern.critique import Critique
from accordeur.parts.pattern.reason import Reason
from accordeur.parts.pattern.stored import stored

__all__ = [
    "Asked",
    "Conversation",
    "Critique",
    "LeastToMost",
    "Pattern",
    "Reason",
    "load",
    "stored",
]

Pattern = Reason | Conversation

_PREFIX = "pattern."
_KINDS = Registry(
    "accordeur.parts",
    "pattern",
    {
        f"{_PREFIX}{kind.kind}": f"{kind.__module__}:{kind.__name__}.from_settings"
        for kind in (Reason, Critique, LeastToMost)
    },
)


def load(files: Mapping[str, bytes]) -> Pattern:
    """Read `pattern.json` back.

    Raises:
        BundleError: it is not what a pattern writes, or the package of its kind is not here.
    """
    try:
        data = json.loads(files["pattern.json"])
        kind, settings = str(data["kind"]), dict(data)
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable() from error
    try:
        make = _KINDS.load(f"{_PREFIX}{kind}")
    except (PlanError, ImportError, AttributeError) as error:
        raise BundleError(
            f"`pattern.json` asks for a pattern `{kind}`, which is not installed here.",
            hint="pip install the package that adds it",
        ) from error
    try:
        found = make(settings)
        if not isinstance(found, Pattern):
            raise TypeError("no pattern")
        if found.max_tokens < 1:
            raise ValueError("no room for an answer")
        return found
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable() from error


def _unreadable() -> BundleError:
    return BundleError("`pattern.json` cannot be read.", hint="save the bundle again from its run")

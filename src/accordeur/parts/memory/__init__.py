"""The slot `memory`: what of a conversation a model is shown.

Without it, a conversation gets the default of `default_memory`. An outside package adds a kind: a
part that is a `Memory`, stored with `stored`, and an entry point `memory.KIND` of the group
`accordeur.parts` that makes it from its settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from accordeur.core.candidate import Candidate
from accordeur.core.errors import BundleError, PlanError
from accordeur.core.registry import Registry
from accordeur.parts.memory.memory import Exchange, Means, Memory, Recalled, Remembered
from accordeur.parts.memory.recall import Recall
from accordeur.parts.memory.stored import stored
from accordeur.parts.memory.summary import RunningSummary
from accordeur.parts.memory.whole import WholeHistory
from accordeur.parts.memory.window import TokenWindow

__all__ = [
    "Exchange",
    "Means",
    "Memory",
    "Recall",
    "Recalled",
    "Remembered",
    "RunningSummary",
    "TokenWindow",
    "WholeHistory",
    "default_memory",
    "kinds",
    "load",
    "memory_from",
    "settings_of",
    "stored",
]

_PREFIX = "memory."
_TABLE = Registry(
    "accordeur.parts",
    "memory",
    {
        f"{_PREFIX}{kind.kind}": f"{kind.__module__}:{kind.__name__}.from_settings"
        for kind in (WholeHistory, TokenWindow, RunningSummary, Recall)
    },
)


def kinds() -> tuple[str, ...]:
    """Names of all kinds, built-in ones first."""
    names = (name for name in _TABLE.names() if name.startswith(_PREFIX))
    return tuple(name.removeprefix(_PREFIX) for name in names)


def default_memory(candidate: Candidate) -> Memory:
    """The candidate's own memory, else a window as large as the context.

    A bundle that answers with labels was measured on single rows, so by default every message is
    answered on its own.
    """
    own = candidate.parts.get("memory")
    if isinstance(own, Memory):
        return own
    return TokenWindow(0) if candidate.task.kind == "labels" else TokenWindow()


def settings_of(memory: Memory) -> dict[str, Any]:
    """Kind and settings as plain data, as `memory.json` holds them."""
    data: dict[str, Any] = json.loads(memory.files()["memory.json"])
    return data


def memory_from(settings: Mapping[str, Any]) -> Memory:
    """Inverse of `settings_of`.

    Raises:
        BundleError: they are not what a memory writes, or the package of its kind is not here.
    """
    kind = settings.get("kind")
    try:
        make = _TABLE.load(f"{_PREFIX}{kind}")
    except (PlanError, ImportError, AttributeError) as error:
        raise BundleError(
            f"There is no memory `{kind}` installed here.", hint=f"known: {', '.join(kinds())}"
        ) from error
    try:
        found = make(settings)
        if not isinstance(found, Memory):
            raise TypeError("no memory")
        return found
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable() from error


def load(files: Mapping[str, bytes]) -> Memory:
    """Read `memory.json` back. Errors as `memory_from`."""
    try:
        data = json.loads(files["memory.json"])
        settings = dict(data)
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable() from error
    return memory_from(settings)


def _unreadable() -> BundleError:
    return BundleError("`memory.json` cannot be read.", hint="save the bundle again")

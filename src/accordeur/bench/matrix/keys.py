"""Keys of a config: read, harmless, or refused by name; nothing that matters is skipped."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from accordeur.core.errors import TaskError

_REFUSED: Mapping[str, str] = {
    "scenarios": "write the combinations out as tests",
    "derivedMetrics": "compute them from -o results.json",
    "extensions": "run your code before or after `accordeur eval`",
    "nunjucksFilters": "Jinja's own filters can be used in templates",
    "redteam": "this is not read by `eval`",
    "assertionTemplates": "write the assertion once as a YAML anchor: &name, *name",
    "transform": "compare with `regex` or `contains-json`, or use a `python` assertion",
    "transformVars": "write the values into the cases",
    "postprocess": "compare with `regex` or `contains-json`, or use a `python` assertion",
    "contextTransform": "use a `python` assertion with --allow-code",
    "rubricPrompt": "put what matters into the rubric itself",
    "storeOutputAs": "cases do not depend on each other here",
    "assertScoringFunction": "use weights and `threshold`",
    "providerOutput": "use the model `echo` with the output as the prompt",
    "apiKey": "keys are read from the environment alone, such as OPENAI_API_KEY",
    "apiKeyEnvar": "export the key under its usual name, such as OPENAI_API_KEY",
    "response_format": "ask for JSON in the prompt and check it with `is-json`",
    "tools": "tools are not read by `eval`",
    "functions": "tools are not read by `eval`",
    "stop": "stop words are not sent",
}


def check_keys(
    data: Mapping[str, Any], where: str, read: Collection[str], harmless: Collection[str] = ()
) -> None:
    """Refuse keys that nothing reads.

    Raises:
        TaskError: naming the key, and what to do instead or the nearest known one.
    """
    for key in data:
        if key in read or key in harmless:
            continue
        name = str(key)
        if name in _REFUSED:
            raise TaskError(f"`{name}` ({where}) is not read here.", hint=_REFUSED[name])
        near = difflib.get_close_matches(name, sorted(read), n=2, cutoff=0.6)
        offer = f"did you mean {' or '.join(f'`{one}`' for one in near)}? " if near else ""
        raise TaskError(
            f"There is no key `{name}` in {where}.", hint=f"{offer}known: {', '.join(sorted(read))}"
        )


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """A mapping with names as keys.

    Raises:
        TaskError: it is none.
    """
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TaskError(f"`{where}` must be a mapping of names to values.")
    return value


def as_list(value: Any) -> list[Any]:
    """A list; anything else is a list of one, nothing an empty one."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def number(
    value: Any, where: str, *, least: float = float("-inf"), most: float = float("inf")
) -> float:
    """A finite number within bounds; texts that are one are read.

    Raises:
        TaskError: it is none, or outside.
    """
    try:
        found = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if not least <= found <= most or found in (float("inf"), float("-inf")):
        bounds = f" from {least:g}" if least > float("-inf") else ""
        bounds += f" to {most:g}" if most < float("inf") else ""
        raise TaskError(f"`{where}` is `{str(value)[:60]}`, not a number{bounds}.")
    return found


def whole(value: Any, where: str, *, least: int = 1) -> int:
    """A whole number. Errors as `number`."""
    found = number(value, where, least=least)
    if found != int(found):
        raise TaskError(f"`{where}` is `{value}`, not a whole number.")
    return int(found)


def text(value: Any, where: str) -> str:
    """A text.

    Raises:
        TaskError: it is none.
    """
    if not isinstance(value, str):
        raise TaskError(f"`{where}` must be a text.")
    return value

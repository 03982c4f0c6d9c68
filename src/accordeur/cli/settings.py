"""`--set lever.setting=value` to the arguments of a lever's constructor.

A value is read as JSON where it is some (`8`, `0.5`, `true`, `null`), else as text; commas make a
list. A setting whose type is a tuple takes one value as a tuple of one, so `--set few-shot.k=8` and
`--set few-shot.k=4,8` both work.
"""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints

from accordeur.core.errors import UsageError
from accordeur.core.registry import unknown_name

EXAMPLE = "--set few-shot.k=4,8"


def check_levers(
    levers: str, settings: Sequence[str], *, tune: bool = False
) -> dict[str, dict[str, Any]]:
    """The settings, after a trial that levers, stacks and settings are what they should be.

    Args:
        levers, settings: as typed.
        tune: every lever that can search its settings does.

    Raises:
        UsageError: a setting is not written `lever.setting=value`, or is given twice; or nothing
            that is pulled can be tuned.
        PlanError: an unknown lever or setting, an impossible stack, a value out of range.
    """
    from accordeur.bench.stacks import parse_stacks

    parsed = parse_settings(settings)
    stacks, everything = parse_stacks(levers, parsed)
    pulled = {lever.name for stack in stacks for lever in stack.levers}
    idle = sorted(set(parsed) - pulled)
    if idle and not everything:
        raise UsageError(
            f"`--set {idle[0]}...` sets a lever that is not pulled.",
            hint=f"--levers {levers},{idle[0]}",
        )
    if tune:
        able = [lever for stack in stacks for lever in stack.levers if "tune" in lever.settings]
        if not able:
            raise UsageError(
                "`--tune` searches the settings of trained levers, and none is pulled.",
                hint=f"--levers {levers},lora --tune",
            )
        for lever in able:
            parsed.setdefault(lever.name, {}).setdefault("tune", True)
    return parsed


def parse_settings(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Settings by lever. Errors as `check_levers`."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        place, equals, value = text.partition("=")
        lever, dot, setting = place.strip().rpartition(".")
        if not (equals and dot and lever and setting):
            raise UsageError(f"`--set {text}` is not `lever.setting=value`.", hint=EXAMPLE)
        setting = setting.replace("-", "_")
        if setting in found.setdefault(lever, {}):
            raise UsageError(f"`{lever}.{setting}` is set twice.", hint=EXAMPLE)
        found[lever][setting] = read_value(value.strip(), _type_of(lever, setting))
    return found


def read_value(text: str, kind: Any = None) -> Any:
    """A value as typed; `kind` is the setting's type where it is known."""
    many = get_origin(kind) in (tuple, list)
    if many or (kind is None and "," in text):
        words = [word.strip() for word in text.split(",")] if text else []
        inner = next((one for one in get_args(kind) if one is not ...), None)
        return tuple(read_value(word, inner) for word in words)
    if kind is str:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _type_of(lever: str, setting: str) -> Any:
    """The type of a lever's setting; `None` where it does not say.

    Raises:
        PlanError: there is no such lever or setting.
    """
    from accordeur.levers import LEVERS

    factory = LEVERS.load(lever)
    known = tuple(inspect.signature(factory).parameters)
    if setting not in known:
        raise unknown_name(f"setting of lever `{lever}`", setting, known)
    try:
        kind = get_type_hints(factory).get(setting)
    except (NameError, TypeError):
        return None
    if get_origin(kind) in (Union, types.UnionType):  # `X | None` is read as X
        rest = [one for one in get_args(kind) if one is not type(None)]
        return rest[0] if len(rest) == 1 else None
    return kind

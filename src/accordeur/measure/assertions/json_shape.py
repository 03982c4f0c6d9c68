"""`is-json` and `contains-json`: the answer is, or holds, JSON; with a schema, JSON of that shape.

JSON is RFC 8259: `NaN` is none, nor is JSON inside a code fence (`contains-json` finds that).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from accordeur.core.errors import TaskError
from accordeur.measure.assertions.assertion import Asked, Finding, Kind, Said, decided, unjudged
from accordeur.measure.assertions.json_schema import check_schema, mismatch

MOST_STARTS = 1_000
"""Braces in an answer from which `contains-json` tries to read."""


def check(said: Said, asked: Asked) -> Finding:
    """The whole answer, white space around it aside."""
    try:
        value = json.loads(said.text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return decided(False, "it is not JSON")
    return _shaped([value], asked.value, "it is not JSON")


def check_inside(said: Said, asked: Asked) -> Finding:
    """Any object or list in the answer; with a schema, one that fits."""
    return _shaped(list(_inside(said.text)), asked.value, "there is no JSON in it")


def _shaped(values: list[Any], wanted: Any, otherwise: str) -> Finding:
    if not values:
        return decided(False, otherwise)
    try:
        schema = as_schema(wanted)
    except TaskError as error:
        return unjudged(error.message)
    if schema is None:
        return decided(True, "")
    broken = [mismatch(value, schema) for value in values]
    return decided(not all(broken), broken[0])


def as_schema(value: Any) -> Any:
    """A schema as a mapping, or as text in JSON or YAML; `None` without one.

    Raises:
        TaskError: it cannot be read, or uses what is not read here.
    """
    if isinstance(value, str):
        try:
            value = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise TaskError("The JSON schema is neither JSON nor YAML.") from None
    if value is None or value == "":
        return None
    check_schema(value)
    return value


def _inside(text: str) -> Iterator[Any]:
    """Objects and lists that stand in a text, the outermost ones, from left to right."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    at = tried = 0
    while at < len(text) and tried < MOST_STARTS:
        if text[at] not in "{[":
            at += 1
            continue
        tried += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        yield value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _valid(value: Any) -> None:
    as_schema(value)


IS_JSON = Kind(
    "the answer is JSON, of the schema if one is given", "schema", check=check, valid=_valid
)
CONTAINS_JSON = Kind(
    "JSON stands in the answer, of the schema", "schema", check=check_inside, valid=_valid
)

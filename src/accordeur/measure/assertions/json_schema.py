"""Whether a JSON value has the shape that a schema describes (JSON Schema draft 2020-12, a subset).

Read: `type enum const properties required additionalProperties patternProperties propertyNames
minProperties maxProperties items prefixItems contains minItems maxItems uniqueItems minLength
maxLength pattern minimum maximum exclusiveMinimum exclusiveMaximum multipleOf allOf anyOf oneOf not
if then else $ref` (within the schema) and the words that only describe. Any other keyword is
refused by name, because a rule that is skipped in silence would pass what it forbids. `format` only
describes, as the draft has it by default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accordeur.core.errors import TaskError
from accordeur.measure.metrics.regex import compiled

DEEPEST = 60
"""Levels of a value or of references that are followed."""

_DESCRIBING = frozenset(
    [
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "format",
        "deprecated",
        "readOnly",
        "writeOnly",
    ]
)

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool)
        and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}

_SUBSCHEMAS = ("additionalProperties", "propertyNames", "items", "contains", "not", "if", "then")
_SCHEMA_LISTS = ("prefixItems", "allOf", "anyOf", "oneOf")
_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions")


def check_schema(schema: Any, place: str = "#") -> None:
    """Refuse a schema that holds what is not read here.

    Raises:
        TaskError: naming the keyword and its place.
    """
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise TaskError(f"The JSON schema at `{place}` is no mapping.", hint="{type: object, ...}")
    for name, value in schema.items():
        if name in _DESCRIBING and name not in _SCHEMA_MAPS:
            continue
        if name in (*_SUBSCHEMAS, "else"):
            check_schema(value, f"{place}/{name}")
        elif name in _SCHEMA_LISTS:
            for number, one in enumerate(_sequence(value, f"{place}/{name}")):
                check_schema(one, f"{place}/{name}/{number}")
        elif name in _SCHEMA_MAPS:
            for key, one in _mapping(value, f"{place}/{name}").items():
                check_schema(one, f"{place}/{name}/{key}")
        elif name == "type":
            for one in [value] if isinstance(value, str) else _sequence(value, f"{place}/type"):
                if not isinstance(one, str) or one not in _TYPES:
                    raise TaskError(f"The JSON schema knows no type `{one}` (`{place}`).")
        elif name == "$ref":
            if not isinstance(value, str) or not value.startswith("#"):
                raise TaskError(
                    f"The JSON schema refers to `{value}`, outside itself (`{place}`).",
                    hint="copy it into `$defs` and write `$ref: '#/$defs/NAME'`",
                )
        elif name == "pattern":
            if not isinstance(value, str):
                raise TaskError(f"`pattern` of the JSON schema at `{place}` is no text.")
            compiled(value)
        elif name in ("enum", "required"):
            items = _sequence(value, f"{place}/{name}")
            if name == "required" and not all(isinstance(one, str) for one in items):
                raise TaskError(f"`required` of the JSON schema at `{place}` must hold names.")
        elif name in _RULES:
            if name != "uniqueItems" and not _number(value):
                raise TaskError(f"`{name}` of the JSON schema at `{place}` is no number.")
        elif name != "const":
            raise TaskError(
                f"The JSON schema uses `{name}` (`{place}`), which is not read here.",
                hint="leave it out, or check it with a `python` assertion and --allow-code",
            )
    for pattern in schema.get("patternProperties") or ():
        compiled(pattern)


def mismatch(value: Any, schema: Any) -> str:
    """What in a value does not fit a schema; empty when it fits.

    Args:
        value: as `json.loads` gives it.
        schema: one that `check_schema` let pass.
    """
    return _Reader(schema).fits(value, schema, "", 0)


class _Reader:
    def __init__(self, root: Any) -> None:
        self._root = root

    def fits(self, value: Any, schema: Any, at: str, depth: int) -> str:
        """The first rule that is broken below a place, in words."""
        where = at or "it"
        if schema is True:
            return ""
        if schema is False:
            return f"{where} may not be there"
        if depth > DEEPEST:
            return f"{where} is nested too deep to check"
        if "$ref" in schema:
            broken = self.fits(value, self._resolved(schema["$ref"]), at, depth + 1)
            if broken:
                return broken
        return (
            _own_rules(value, schema, where)
            or self._inside(value, schema, at, depth)
            or self._combined(value, schema, at, depth)
        )

    def _inside(self, value: Any, schema: Mapping[str, Any], at: str, depth: int) -> str:
        if isinstance(value, dict):
            return self._properties(value, schema, at, depth)
        if isinstance(value, list):
            return self._items(value, schema, at, depth)
        return ""

    def _properties(
        self, value: Mapping[str, Any], schema: Mapping[str, Any], at: str, depth: int
    ) -> str:
        known = schema.get("properties") or {}
        patterns = schema.get("patternProperties") or {}
        for name, item in value.items():
            place = f"{at}.{name}" if at else f"`{name}`"
            rules = [known[name]] if name in known else []
            rules += [rule for pattern, rule in patterns.items() if re.search(pattern, name)]
            if not rules and "additionalProperties" in schema:
                rules = [schema["additionalProperties"]]
            for rule in rules:
                if broken := self.fits(item, rule, place, depth + 1):
                    return broken
            names = schema.get("propertyNames", True)
            if broken := self.fits(name, names, f"the name {place}", depth + 1):
                return broken
        return ""

    def _items(self, value: Sequence[Any], schema: Mapping[str, Any], at: str, depth: int) -> str:
        first = schema.get("prefixItems") or []
        for number, item in enumerate(value):
            rule = first[number] if number < len(first) else schema.get("items", True)
            if broken := self.fits(item, rule, f"{at or 'it'}[{number}]", depth + 1):
                return broken
        wanted = schema.get("contains")
        if wanted is not None and all(self.fits(one, wanted, at, depth + 1) for one in value):
            return f"{at or 'it'} lacks an item that `contains` asks for"
        return ""

    def _combined(self, value: Any, schema: Mapping[str, Any], at: str, depth: int) -> str:
        where = at or "it"
        for rule in schema.get("allOf") or ():
            if broken := self.fits(value, rule, at, depth + 1):
                return broken
        if "anyOf" in schema:
            tried = [self.fits(value, rule, at, depth + 1) for rule in schema["anyOf"]]
            if all(tried):
                return f"{where} fits none of `anyOf`"
        if "oneOf" in schema:
            fitting = sum(not self.fits(value, rule, at, depth + 1) for rule in schema["oneOf"])
            if fitting != 1:
                return f"{where} fits {fitting} of `oneOf`"
        if "not" in schema and not self.fits(value, schema["not"], at, depth + 1):
            return f"{where} fits what `not` forbids"
        if "if" in schema:
            holds = not self.fits(value, schema["if"], at, depth + 1)
            return self.fits(value, schema.get("then" if holds else "else", True), at, depth + 1)
        return ""

    def _resolved(self, reference: str) -> Any:
        found = self._root
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                return False
            found = found[name]
        return found


def _own_rules(value: Any, schema: Mapping[str, Any], where: str) -> str:
    if "type" in schema:
        types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(_TYPES[one](value) for one in types):
            return f"{where} is no {' or '.join(types)}"
    if "enum" in schema and not any(_equal(value, one) for one in schema["enum"]):
        return f"{where} is none of the allowed values"
    if "const" in schema and not _equal(value, schema["const"]):
        return f"{where} is not the one allowed value"
    for name in schema.get("required") or () if isinstance(value, dict) else ():
        if name not in value:
            return f"{where} lacks `{name}`"
    for name, (applies, holds) in _RULES.items():
        if name in schema and applies(value) and not holds(value, schema[name]):
            return f"{where} breaks `{name}: {schema[name]}`"
    return ""


def _number(value: Any) -> bool:
    return _TYPES["number"](value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _list(value: Any) -> bool:
    return isinstance(value, list)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


_RULES: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any, Any], bool]]] = {
    "minLength": (_text, lambda value, n: len(value) >= n),
    "maxLength": (_text, lambda value, n: len(value) <= n),
    "pattern": (_text, lambda value, pattern: compiled(pattern).search(value) is not None),
    "minimum": (_number, lambda value, n: value >= n),
    "maximum": (_number, lambda value, n: value <= n),
    "exclusiveMinimum": (_number, lambda value, n: value > n),
    "exclusiveMaximum": (_number, lambda value, n: value < n),
    "multipleOf": (_number, lambda value, n: n > 0 and abs(value / n - round(value / n)) < 1e-9),
    "minItems": (_list, lambda value, n: len(value) >= n),
    "maxItems": (_list, lambda value, n: len(value) <= n),
    "uniqueItems": (_list, lambda value, wanted: not wanted or _unique(value)),
    "minProperties": (_object, lambda value, n: len(value) >= n),
    "maxProperties": (_object, lambda value, n: len(value) <= n),
}


def _equal(a: Any, b: Any) -> bool:
    """Equality of JSON values, which tells true from 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[name], b[name]) for name in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _unique(values: Sequence[Any]) -> bool:
    return not any(
        _equal(one, other) for number, one in enumerate(values) for other in values[:number]
    )


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TaskError(f"The JSON schema at `{place}` is no mapping.")
    return value


def _sequence(value: Any, place: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TaskError(f"The JSON schema at `{place}` is no list.")
    return value

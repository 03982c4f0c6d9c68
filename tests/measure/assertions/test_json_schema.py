"""JSON Schema: rules, references, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accordeur.core.errors import TaskError
from accordeur.measure.assertions.json_schema import check_schema, mismatch


def fits(value: Any, schema: Any) -> bool:
    check_schema(schema)
    return not mismatch(value, schema)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, 3.0, 3.5),
        ({"type": "integer"}, 3, True),
        ({"type": ["string", "null"]}, None, 1),
        ({"enum": [1, "a"]}, "a", True),
        ({"const": {"a": [1]}}, {"a": [1]}, {"a": [True]}),
        ({"required": ["a"]}, {"a": None}, {}),
        ({"properties": {"a": {"minimum": 2}}}, {"a": 2}, {"a": 1}),
        ({"properties": {"a": True}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
        ({"patternProperties": {"^x": {"type": "string"}}}, {"xy": "1"}, {"xy": 1}),
        ({"propertyNames": {"maxLength": 2}}, {"ab": 1}, {"abc": 1}),
        ({"items": {"type": "number"}}, [1, 2.5], [1, "2"]),
        ({"prefixItems": [{"const": 1}], "items": {"type": "string"}}, [1, "a"], [1, 2]),
        ({"contains": {"const": 1}}, [0, 1], [0]),
        ({"uniqueItems": True}, [1, True], [1, 1.0]),
        ({"minItems": 1, "maxItems": 2}, [1], [1, 2, 3]),
        ({"minLength": 2, "pattern": "^a"}, "ab", "b"),
        ({"multipleOf": 0.1}, 0.3, 0.35),
        ({"exclusiveMaximum": 3}, 2.9, 3),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
        ({"anyOf": [{"type": "string"}, {"minimum": 5}]}, 6, 4),
        ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, 5, 1.5),
        ({"not": {"type": "null"}}, 1, None),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {}, {"a": 1}),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}, 1, "1"),
        ({"type": "object"}, {}, []),
    ],
)
def test_rules(schema: Any, good: Any, bad: Any) -> None:
    assert fits(good, schema)
    assert not fits(bad, schema)


def test_a_reference_to_itself_describes_trees_and_ends() -> None:
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["n"]}
    assert fits({"n": 1, "next": {"n": 2}}, tree)
    assert not fits({"n": 1, "next": {}}, tree)
    assert not fits(1, {"$ref": "#"})  # a circle describes nothing


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"dependentRequired": {}},
        {"properties": {"a": {"minimun": 1}}},
        {"$ref": "https://example.org/schema"},
        {"properties": []},
        {"pattern": "("},
        3,
    ],
)
def test_what_is_not_read_is_refused(schema: Any) -> None:
    with pytest.raises(TaskError):
        check_schema(schema)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_a_value_fits_itself_as_the_only_one(value: Any) -> None:
    read = json.loads(json.dumps(value))
    assert fits(read, {"const": value})
    assert not fits([read, read], {"const": read})


keywords = st.sampled_from(
    [
        "type",
        "enum",
        "const",
        "required",
        "properties",
        "items",
        "minLength",
        "minimum",
        "pattern",
        "maxItems",
        "uniqueItems",
        "multipleOf",
        "anyOf",
        "not",
        "$ref",
        "if",
        "then",
        "contains",
    ]
)
schemas = st.recursive(
    values | st.sampled_from(["object", "string", "#/properties"]),
    lambda inner: st.dictionaries(keywords, inner | st.lists(inner, max_size=2), max_size=4),
    max_leaves=10,
)


@settings(deadline=None)
@given(schemas)
def test_any_schema_is_read_or_refused(schema: Any) -> None:
    try:
        check_schema(schema)
    except TaskError:
        return
    for value in ({"a": [1, "x"]}, "x", 1, None, [1, 1]):
        assert isinstance(mismatch(value, schema), str)

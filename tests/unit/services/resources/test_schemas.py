"""Schemas of resources: which are taken, and which specs fit them."""

from typing import Any

import pytest

from lineshaft.model.errors import InputTooLargeError, InvalidInputError, SchemaRefusedError, SpecMisfitError
from lineshaft.services.resources.schemas import MOST_PROBLEMS, check_schema, check_spec

APP = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.test/app",
    "type": "object",
    "required": ["image"],
    "properties": {
        "image": {"type": "string", "pattern": "^[a-z]+$"},
        "replicas": {"type": "integer", "minimum": 1},
        "ports": {"type": "array", "items": {"$ref": "#/$defs/port"}, "uniqueItems": True},
        "a/b~c": {"type": "null"},
    },
    "additionalProperties": False,
    "$defs": {"port": {"type": "integer", "maximum": 65535}},
}


def refused(schema: Any) -> list[str]:
    with pytest.raises(SchemaRefusedError) as caught:
        check_schema(schema)
    return [problem.field for problem in caught.value.problems]


def misfits(schema: dict[str, Any], spec: Any) -> list[str]:
    check_schema(schema)
    with pytest.raises(SpecMisfitError) as caught:
        check_spec(schema, spec)
    return [problem.field for problem in caught.value.problems]


def test_a_spec_that_fits_is_taken() -> None:
    check_schema(APP)

    check_spec(APP, {"image": "shop", "replicas": 2, "ports": [80, 443], "a/b~c": None})


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({}, "/spec"),
        ([], "/spec"),
        ({"image": "SHOP"}, "/spec/image"),
        ({"image": "a", "replicas": 0}, "/spec/replicas"),
        ({"image": "a", "replicas": True}, "/spec/replicas"),
        ({"image": "a", "ports": [80, 70000]}, "/spec/ports/1"),
        ({"image": "a", "ports": [80, 80.0]}, "/spec/ports"),
        ({"image": "a", "a/b~c": 1}, "/spec/a~1b~0c"),
        ({"image": "a", "other": 1}, "/spec/other"),
    ],
)
def test_a_spec_that_does_not_fit_is_told_the_place(spec: Any, place: str) -> None:
    assert misfits(APP, spec) == [place]


def test_all_places_are_told_up_to_a_number() -> None:
    assert misfits(APP, {"image": 1, "replicas": "x"}) == ["/spec/image", "/spec/replicas"]
    assert len(misfits({"items": {"type": "null"}}, list(range(100)))) == MOST_PROBLEMS


def test_an_item_is_there_twice_only_where_json_says_that_it_is_the_same() -> None:
    schema = {"uniqueItems": True}
    check_spec(schema, [1, True, "1", [1], [True], {"a": 1}, {"a": True}, {"a": [1]}, None, False, 0])

    assert misfits(schema, [{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}]) == ["/spec"]


def test_properties_are_told_by_patterns() -> None:
    schema = {"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "integer"}}

    assert misfits(schema, {"x-a": 1, "x-b": "1", "b": "1", "c": 1}) == ["/spec/x-a", "/spec/b"]


def test_what_no_part_of_a_schema_has_looked_at_is_told() -> None:
    schema = {"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}

    assert misfits(schema, {"a": 1, "b": 2}) == ["/spec"]


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        (True, "/schema"),
        ([], "/schema"),
        ({"type": "thing"}, "/schema/type"),
        ({"properties": {"a": {"minLength": -1}}}, "/schema/properties/a/minLength"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/schema/$schema"),
        ({"$schema": 7}, "/schema/$schema"),
        ({"items": {"$schema": "http://json-schema.org/draft-07/schema#"}}, "/schema/items/$schema"),
        ({"$defs": {"a": {"$id": "https://example.test/a"}}}, "/schema/$defs/a/$id"),
        ({"allOf": [{"pattern": "(?=a)"}]}, "/schema/allOf/0/pattern"),
        ({"patternProperties": {"(": True}}, "/schema/patternProperties/("),
        ({"$ref": "https://example.test/schema"}, "/schema/$ref"),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "/schema/$ref"),
        ({"$ref": "file:///etc/passwd"}, "/schema/$ref"),
        ({"$ref": "other"}, "/schema/$ref"),
        ({"$ref": "#/$defs/missing"}, "/schema/$ref"),
        ({"$ref": "#missing"}, "/schema/$ref"),
        ({"$ref": "#/x", "x": {"minimum": "a"}}, "/schema/$ref"),
        ({"$ref": "#/description", "description": "text"}, "/schema/$ref"),
        ({"$dynamicRef": "https://example.test/#a"}, "/schema/$dynamicRef"),
        ({"patternProperties": {"a": {}}, "not": {"unevaluatedProperties": False}}, "/schema"),
    ],
)
def test_a_schema_that_is_not_taken_is_told_the_place(schema: Any, place: str) -> None:
    assert refused(schema)[0] == place


def test_examples_in_a_schema_are_no_schemas() -> None:
    example = {"$ref": "https://example.test", "$schema": "x", "pattern": "("}

    check_schema({"examples": [example], "const": example, "properties": {"$ref": {"default": example}}})


def test_a_regular_expression_takes_no_longer_than_its_text() -> None:
    schema = {"pattern": "^(a+)+$", "type": "string"}

    assert misfits(schema, "a" * 5_000 + "b") == ["/spec"]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {
            "$ref": "#/$defs/30",
            "$defs": {
                "0": {},
                **{str(n): {"allOf": [{"$ref": f"#/$defs/{n - 1}"}] * 2} for n in range(1, 31)},
            },
        },
        {
            "$ref": "#/$defs/30",
            "$defs": {
                "0": {},
                **{
                    str(n): {"dependentSchemas": {key: {"$ref": f"#/$defs/{n - 1}"} for key in "ab"}}
                    for n in range(1, 31)
                },
            },
            "unevaluatedProperties": False,
        },
        {"unevaluatedProperties": {"$ref": "#"}, "$ref": "#"},
    ],
)
def test_a_schema_that_asks_for_endless_work_is_given_up(schema: dict[str, Any]) -> None:
    assert misfits(schema, {"a": 1, "b": 1}) == ["/spec"]


def test_a_spec_that_multiplies_the_work_is_given_up() -> None:
    schema = {"items": {"enum": [str(number) for number in range(1_000)]}}

    assert misfits(schema, ["999"] * 1_000) == ["/spec"]


def test_a_recursive_schema_serves_specs_that_end() -> None:
    tree = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
        "additionalProperties": False,
    }
    check_schema(tree)
    check_spec(tree, {"children": [{}, {"children": [{}]}]})

    assert misfits(tree, {"children": [{}, {"children": [1]}]}) == ["/spec/children/1/children/0"]


def test_what_is_too_deep_too_long_or_no_text_is_refused() -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    with pytest.raises(InputTooLargeError, match="deep"):
        check_spec({}, deep)
    with pytest.raises(InputTooLargeError, match="256 KiB"):
        check_spec({}, "x" * 300_000)
    with pytest.raises(InputTooLargeError, match="128 KiB"):
        check_schema({"description": "x" * 200_000})
    for bad in ("a\0", "\ud800", {"\0": 1}, float("nan"), float("inf")):
        with pytest.raises(InvalidInputError):
            check_spec({}, [bad])

"""The keywords of JSON Schema, as the library has them, but with their work counted.

Those are made anew that the library tests by Python's regular expressions, or by comparing each with each.
This module takes long to load, since the library does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import create

from lineshaft.expression.pattern import regex
from lineshaft.services.resources.steps import spend

_Keyword = Callable[[Any, Any, Any, Any], Iterable[Any] | None]


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not regex(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        spend(len(patterns) * len(instance))
        for each, schema in patterns.items():
            for name in filter(regex(each).search, instance):
                yield from validator.descend(instance[name], schema, path=name, schema_path=each)


def _additional_properties(
    validator: Any, additional: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = [regex(each) for each in schema.get("patternProperties", ())]
    spend(len(patterns) * len(instance))
    known = schema.get("properties", {})
    for name in instance:
        if name in known or any(each.search(name) for each in patterns):
            continue
        if additional is False:
            yield ValidationError("is not a property that the schema knows", path=[name])
        else:
            yield from validator.descend(instance[name], additional, path=name)


def _unique_items(_: Any, unique: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    if unique and isinstance(instance, list) and len(set(map(_comparable, instance))) < len(instance):
        yield ValidationError("has an item twice")


def _comparable(value: Any) -> Any:
    """Turn a JSON value into one that equals another where JSON Schema says so: 1 is 1.0, and not true."""
    match value:
        case bool():
            return ("bool", value)
        case Mapping():
            return frozenset((name, _comparable(each)) for name, each in value.items())
        case list():
            return tuple(map(_comparable, value))
        case _:
            return value


def _counted(keyword: _Keyword) -> _Keyword:
    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterable[Any] | None:
        spend(1 + _size(value) + _size(instance))
        return keyword(validator, value, instance, schema)

    return counted


def _size(value: Any) -> int:
    """Tell how much a keyword that goes through a value meets there."""
    match value:
        case str():
            return len(value) // 100
        case Mapping() | list():
            return len(value)
        case _:
            return 0


def _applicable(schema: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    spend(1)
    return schema.items()


_KEYWORDS: Final[Mapping[str, _Keyword]] = {
    **Draft202012Validator.VALIDATORS,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}

BoundedValidator: Final[Any] = create(
    meta_schema=Draft202012Validator.META_SCHEMA,
    validators={name: _counted(keyword) for name, keyword in _KEYWORDS.items()},
    type_checker=Draft202012Validator.TYPE_CHECKER,
    id_of=Draft202012Validator.ID_OF,
    applicable_validators=_applicable,
)
"""The library's class of validators for a schema; used within `steps.allowed` only."""

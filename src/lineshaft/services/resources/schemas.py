"""Schemas of resources, and whether specs fit them.

A schema is JSON Schema, draft 2020-12, and others write it. So it is bounded: in size; in its regular
expressions, which RE2 matches in linear time where Python's own would go back and forth for years; in where
its references lead; and in the work that one spec may make, since a short schema can ask for more than the
age of the world.
"""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from lineshaft.expression.pattern import regex
from lineshaft.model.errors import ExpressionError, Problem, SchemaRefusedError, SpecMisfitError
from lineshaft.services.resources.documents import check_json, pointer
from lineshaft.services.resources.steps import TooMuchError, allowed

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
"""What `$schema` may say."""

MOST_SCHEMA_BYTES: Final = 128 * 1024
"""How long a schema may be, as JSON in UTF-8."""

MOST_PROBLEMS: Final = 20
"""How many places of a document are told."""

MOST_STEPS: Final = 200_000
"""How much work one spec may make: one for each keyword that is looked at, and each thing in its way."""

_LONGEST_MESSAGE: Final = 300
_NAMED: Final = ("$defs", "properties", "patternProperties", "dependentSchemas")
_LISTED: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE: Final = (
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_REFERENCES: Final = ("$ref", "$dynamicRef")

_Path = tuple[str | int, ...]


def check_schema(schema: Any) -> None:
    """See whether a schema can be used.

    Args:
        schema: any JSON value.

    Raises:
        InputTooLargeError: it is too long, or too deep.
        InvalidInputError: it has texts or numbers that cannot be kept.
        SchemaRefusedError: it is no object that is a schema of draft 2020-12, it refers to what is not in it,
            or has regular expressions that are not taken.
    """
    check_json(schema, "/schema", most_bytes=MOST_SCHEMA_BYTES)
    if not isinstance(schema, Mapping):
        raise _refused([Problem("/schema", "must be an object")])
    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        raise _refused([Problem("/schema/$schema", f"must be {DIALECT}, or not be there")])
    try:
        problems = _problems("schema", _reader().iter_errors(schema))
    except RecursionError:
        problems = [Problem("/schema", "is nested too deep")]
    problems = problems or list(islice(_own_problems(_bare(schema)), MOST_PROBLEMS))
    if problems:
        raise _refused(problems)


def check_spec(schema: Mapping[str, Any], spec: Any) -> None:
    """See whether a spec fits a schema that `check_schema` has taken.

    Raises:
        InputTooLargeError: the spec is too long, or too deep.
        InvalidInputError: it has texts or numbers that cannot be kept.
        SpecMisfitError: it does not fit, or that would take too long to find out.
    """
    check_json(spec, "/spec")
    try:
        with allowed(MOST_STEPS):
            problems = _problems("spec", _validator(_bare(schema)).iter_errors(spec))
    except (TooMuchError, RecursionError):
        raise SpecMisfitError(
            "Whether the spec fits its type takes too long to find out.",
            problems=[Problem("/spec", "makes too much work for the schema of its type")],
            advice="Make the spec smaller, or the schema of its type simpler.",
        ) from None
    if problems:
        raise SpecMisfitError("The spec does not fit its type.", problems=problems)


def _refused(problems: Sequence[Problem]) -> SchemaRefusedError:
    return SchemaRefusedError("The schema cannot be used.", problems=problems)


def _bare(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what would have the library look for the schema, or for how to read it, elsewhere."""
    return {name: value for name, value in schema.items() if name not in ("$schema", "$id")}


def _problems(root: str, errors: Iterable[Any]) -> list[Problem]:
    return [
        Problem(pointer((root, *error.absolute_path)), _shortened(error.message))
        for error in islice(errors, MOST_PROBLEMS)
    ]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"


@functools.cache
def _reader() -> Any:
    # It takes long to load, and most servers define nothing.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(Draft202012Validator.META_SCHEMA)


def _own_problems(schema: dict[str, Any]) -> Iterator[Problem]:
    """Find what is allowed by the standard, and not taken here."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    parts = dict(_schemas(schema))
    known = {id(part) for part in parts.values()}
    resolver = Registry().resolver_with_root(DRAFT202012.create_resource(schema))
    for path, part in parts.items():
        for keyword in ("$schema", "$id"):
            if keyword in part:
                yield Problem(pointer(("schema", *path, keyword)), "stands at the schema's root only")
        yield from _bad_patterns(path, part)
        for keyword in _REFERENCES:
            if keyword not in part:
                continue
            reference = part[keyword]
            try:
                found = resolver.lookup(reference).contents if reference.startswith("#") else None
            except Unresolvable:
                found = None
            if not isinstance(found, bool) and id(found) not in known:
                message = "must lead to a schema within this one, such as #/$defs/NAME"
                yield Problem(pointer(("schema", *path, keyword)), message)
    both = {"patternProperties", "unevaluatedProperties"}
    if both <= {keyword for part in parts.values() for keyword in part}:
        yield Problem("/schema", f"uses both of {' and '.join(sorted(both))}, of which one can be used")


def _schemas(schema: Mapping[str, Any]) -> Iterator[tuple[_Path, Mapping[str, Any]]]:
    """Go through a schema and all schemas in it that are objects, with where they are."""
    todo: list[tuple[_Path, Any]] = [((), schema)]
    while todo:
        path, part = todo.pop()
        if not isinstance(part, Mapping):
            continue
        yield path, part
        for keyword in _NAMED:
            todo += [((*path, keyword, name), each) for name, each in part.get(keyword, {}).items()]
        for keyword in _LISTED:
            todo += [((*path, keyword, index), each) for index, each in enumerate(part.get(keyword, ()))]
        todo += [((*path, keyword), part[keyword]) for keyword in _SINGLE if keyword in part]


def _bad_patterns(path: _Path, part: Mapping[str, Any]) -> Iterator[Problem]:
    patterns: list[tuple[_Path, str]] = [((*path, "pattern"), part["pattern"])] if "pattern" in part else []
    patterns += [((*path, "patternProperties", each), each) for each in part.get("patternProperties", ())]
    for where, pattern in patterns:
        try:
            regex(pattern)
        except ExpressionError as error:
            yield Problem(pointer(("schema", *where)), _shortened(error.message))


def _validator(schema: dict[str, Any]) -> Any:
    from referencing import Registry

    from lineshaft.services.resources.keywords import BoundedValidator

    return BoundedValidator(schema, registry=Registry())

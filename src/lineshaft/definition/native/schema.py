"""The JSON Schema of the pipeline language, made from its documents."""

from typing import Any, Final

from lineshaft.definition.native.document import PipelineDocument

SCHEMA_ID: Final = "urn:lineshaft:schema:pipeline"
"""By which other schemas, and editors' settings, can name it."""

_NAMES_OF_KEYS: Final = frozenset(("properties", "$defs", "dependentSchemas"))


def native_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a pipeline, as `lineshaft schema` prints it.

    It describes all rules but those that a schema cannot say: names are unique, what is needed exists and
    makes no circle, defaults and choices are of their input's type, excluded axes exist, no time is over a
    year, and the limits of a definition.
    """
    schema = _tidy(PipelineDocument.model_json_schema(by_alias=True))
    about = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Lineshaft pipeline",
    }
    return {**about, **{key: value for key, value in schema.items() if key != "title"}}


def _tidy(schema: Any) -> Any:
    """Leave out what pydantic says of Python: a title for each key, and None as a default."""
    match schema:
        case {"patternProperties": dict(patterns)}:
            # Pydantic lets names pass that do not fit the pattern.
            [(pattern, value)] = patterns.items()
            names = {**schema.get("propertyNames", {}), "pattern": pattern}
            others = {key: inner for key, inner in schema.items() if key != "patternProperties"}
            return _tidy({**others, "propertyNames": names, "additionalProperties": value})
        case dict():
            return {
                key: {name: _tidy(inner) for name, inner in value.items()}
                if key in _NAMES_OF_KEYS
                else _tidy(value)
                for key, value in schema.items()
                if not (key == "title" or (key == "default" and value is None))
            }
        case list():
            return [_tidy(item) for item in schema]
        case _:
            return schema

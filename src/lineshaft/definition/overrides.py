"""Overrides: other values for some keys of a definition, for one run."""

import json
from collections.abc import Mapping
from typing import Any

from lineshaft.definition.json_pipeline import read_json_pipeline
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidInputError, Problem


def overridden(definition: Definition, overrides: Mapping[str, Any]) -> Definition:
    """Give keys of a definition other values, and read it again.

    Args:
        definition: as it is.
        overrides: values by dotted path, such as `defaults.timeout` or `steps.test.run`; a member of a list is
            named by its place, from 0, or by its `name`.

    Raises:
        InvalidInputError: a path leads nowhere.
        InvalidDefinitionError: what comes out makes no sense.
        InputTooLargeError: what comes out is over a limit.
    """
    document = json.loads(definition.text)
    problems = [
        Problem(path, "leads to no place in the definition")
        for path, value in overrides.items()
        if not _set(document, path.split("."), value)
    ]
    if problems:
        raise InvalidInputError(
            f"The override '{problems[0].field}' {problems[0].message}.",
            problems=problems,
            advice="Name keys from the outside in, and nodes by their names: steps.test.timeout.",
        )
    return read_json_pipeline(json.dumps(document, ensure_ascii=False).encode())


def _set(document: Any, steps: list[str], value: Any) -> bool:
    for step in steps[:-1]:
        document = _inner(document, step)
    last = steps[-1]
    match document:
        case dict():
            document[last] = value
        case list():
            place = _place(document, last)
            if place is None:
                return False
            document[place] = value
        case _:
            return False
    return True


def _inner(document: Any, step: str) -> Any:
    match document:
        case dict():
            return document.setdefault(step, {})
        case list():
            place = _place(document, step)
            return None if place is None else document[place]
        case _:
            return None


def _place(items: list[Any], step: str) -> int | None:
    """Find a member of a list by its name, or else by its place."""
    for place, item in enumerate(items):
        if isinstance(item, dict) and item.get("name") == step:
            return place
    if step.isascii() and step.isdigit() and len(step) < 9 and int(step) < len(items):
        return int(step)
    return None

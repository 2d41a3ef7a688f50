"""Documents of other systems for tests: what reading them gives, and what is told of broken ones."""

import json
from typing import Any

import pytest

from lineshaft.definition.convert import read_foreign
from lineshaft.definition.dialect import Dialect
from lineshaft.model.errors import InvalidDefinitionError, Problem

Value = dict[str, Any]


def native(value: Value, dialect: Dialect) -> Value:
    """Return the only native document that a value of that language becomes."""
    (document,) = read_foreign(json.dumps(value).encode(), dialect=dialect).documents
    return document


def notes(value: Value, dialect: Dialect) -> dict[str, str]:
    """Return what is noted when a value of that language is read, by the path it is about."""
    read = read_foreign(json.dumps(value).encode(), dialect=dialect)
    return {".".join(map(str, note.path)): note.message for note in read.notes}


def problems(data: str | Value, dialect: Dialect) -> tuple[Problem, ...]:
    """Return all that is wrong with a text or value of that language."""
    text = data if isinstance(data, str) else json.dumps(data)
    with pytest.raises(InvalidDefinitionError) as raised:
        read_foreign(text.encode(), dialect=dialect)
    return raised.value.problems


def messages(data: str | Value, dialect: Dialect) -> dict[str, str]:
    """Return all that is wrong with a text or value of that language, and what is advised, by field."""
    found = problems(data, dialect)
    return {problem.field: "; ".join(filter(None, (problem.message, problem.advice))) for problem in found}

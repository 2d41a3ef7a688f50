"""Native definitions for tests, read from short texts."""

from collections.abc import Mapping, Sequence

import pytest

from lineshaft.definition import read_definition, read_native
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidDefinitionError, Problem
from lineshaft.model.node import Group, Node, Task


class Files:
    """Files of a commit, kept in memory."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def read(self, path: str) -> bytes | None:
        text = self._files.get(path)
        return None if text is None else text.encode()


def native(
    text: str, files: Mapping[str, str] | None = None, overrides: Sequence[tuple[str, str]] = ()
) -> Definition:
    """Read a pipeline; a text that begins with a step gets the keys before it."""
    source = None if files is None else Files(files)
    return read_native(_whole(text).encode(), files=source, overrides=overrides)


def problems(
    text: str, files: Mapping[str, str] | None = None, overrides: Sequence[tuple[str, str]] = ()
) -> tuple[Problem, ...]:
    """Read a pipeline that cannot be read, and return all that is wrong with it."""
    with pytest.raises(InvalidDefinitionError) as caught:
        native(text, files, overrides)
    return caught.value.problems


def problem(text: str, files: Mapping[str, str] | None = None) -> Problem:
    """Read a pipeline with exactly one mistake, and return that."""
    (found,) = problems(text, files)
    return found


def reread(definition: Definition) -> Definition:
    """Read the text that a store would keep."""
    return read_definition(definition.format, definition.text)


def paths(definition: Definition) -> list[str]:
    return [place.path for place in definition.tree.below_root()]


def node(definition: Definition, path: str) -> Node:
    place = definition.tree.find(path)
    assert place is not None, paths(definition)
    return place.node


def task(definition: Definition, path: str) -> Task:
    found = node(definition, path)
    assert isinstance(found, Task)
    return found


def group(definition: Definition, path: str) -> Group:
    found = node(definition, path)
    assert isinstance(found, Group)
    return found


def _whole(text: str) -> str:
    return f"name: p\nsteps:\n{text}" if text.lstrip("\n").lstrip(" ").startswith("- ") else text

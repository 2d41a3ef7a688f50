"""Pipeline definitions as text or JSON, read into the model, one module a format.

This is the door of the room: what reads a format (its documents are pydantic models, YAML is a parser of its
own) is loaded by the first call that needs it, so that a server which is only starting does not.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lineshaft.definition.compiling.fragment import FileSource
from lineshaft.model.definition import Definition, Format
from lineshaft.model.node import Group
from lineshaft.model.tree import Tree
from lineshaft.model.value import Value

__all__ = [
    "FileSource",
    "read_definition",
    "read_generated",
    "read_native",
    "read_rest",
    "resolve_inputs",
    "rest_schema",
    "write_yaml",
]


def read_native(
    data: bytes, *, files: FileSource | None = None, overrides: Sequence[tuple[str, str]] = ()
) -> Definition:
    """Read a definition in Lineshaft's own language; see `compiling.read`."""
    from lineshaft.definition.compiling import read

    return read.read_native(data, files=files, overrides=overrides)


def read_generated(text: str, definition: Definition, tree: Tree, index: int) -> Group:
    """Read nodes that a task generated; see `compiling.generated`."""
    from lineshaft.definition.compiling import generated

    return generated.read_generated(text, definition, tree, index)


def resolve_inputs(definition: Definition, given: Mapping[str, object]) -> dict[str, Value]:
    """Put the inputs of a run together; see `compiling.inputs`."""
    from lineshaft.definition.compiling import inputs

    return inputs.resolve_inputs(definition, given)


def read_rest(data: bytes) -> Definition:
    """Read a configuration of the REST format; see `rest`."""
    from lineshaft.definition import rest

    return rest.read_rest(data)


def rest_schema() -> dict[str, Any]:
    """Return the JSON Schema of the REST format; see `rest`."""
    from lineshaft.definition import rest

    return rest.rest_schema()


def read_definition(
    format: Format,  # noqa: A002 - It is what the model calls it; nothing here formats anything.
    text: str,
) -> Definition:
    """Read back the canonical text of a definition that the store kept; see `reader`."""
    from lineshaft.definition import reader

    return reader.read_definition(format, text)


def write_yaml(value: Mapping[str, Any]) -> str:
    """Write a document as YAML; see `yaml_writing`."""
    from lineshaft.definition import yaml_writing

    return yaml_writing.write_yaml(value)

"""Pipeline definitions as text or JSON, read into the model, one module a format."""

from lineshaft.definition.compiling.fragment import FileSource
from lineshaft.definition.compiling.generated import read_generated
from lineshaft.definition.compiling.inputs import resolve_inputs
from lineshaft.definition.compiling.read import read_native
from lineshaft.definition.reader import read_definition
from lineshaft.definition.rest import read_rest, rest_schema

__all__ = [
    "FileSource",
    "read_definition",
    "read_generated",
    "read_native",
    "read_rest",
    "resolve_inputs",
    "rest_schema",
]

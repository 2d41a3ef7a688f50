"""Pipeline definitions as text or JSON, read into the model, one module a format."""

from lineshaft.definition.reader import read_definition
from lineshaft.definition.rest import read_rest, rest_schema

__all__ = ["read_definition", "read_rest", "rest_schema"]

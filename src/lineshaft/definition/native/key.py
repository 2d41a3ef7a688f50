"""What is said of a key of the language: in its JSON Schema, and to those who give it a wrong value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """The words for a key, or for the items of its value.

    An optional key has None for its default, but nobody may write null for it: that is no way to say nothing.

    Attributes:
        meaning: what the key is for; empty for items.
        demand: what its value has to be, in words that follow "must be".
        schema: what its JSON Schema holds besides, for checks that pydantic cannot describe.
        short: the JSON Schema of a shorter form that is read as well.
    """

    meaning: str
    demand: str
    schema: Mapping[str, Any] = field(default_factory=dict)
    short: Mapping[str, Any] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuse an explicit null."""
        schema: Any = handler(source)
        given: CoreSchema = schema["schema"] if schema["type"] == "nullable" else schema
        return given

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the key."""
        told: dict[str, Any] = {**handler(schema), **self.schema}
        if self.short is not None:
            told = {"anyOf": [dict(self.short), told]}
        return {**told, "description": f"{self.meaning}; {self.demand}."} if self.meaning else told

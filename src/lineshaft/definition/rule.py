"""A rule for a field, said once: to those who read the format's description and to those who break it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from lineshaft.definition.findings import shown

REFUSED: Final = "refused"
"""The type of the validation errors whose message is a rule's own words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field is and what it has to be: its description, and what is said when it is something else.

    Attributes:
        meaning: what the field is.
        demand: what its value has to be, in words that follow "must be".
        schema: what its JSON Schema holds besides, for checks that pydantic cannot describe.
    """

    meaning: str
    demand: str
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Put this rule's words in the place of those of the checks that come before it."""
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the field with it."""
        described = {"description": f"{self.meaning}; must be {self.demand}."}
        return {**handler(schema), **self.schema, **described}

    def _check(self, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        try:
            return check(value)
        except ValidationError as error:
            if any(found["loc"] or found["type"] == REFUSED for found in error.errors(include_url=False)):
                raise  # Something within the value, or with words of its own already.
            raise refused(f"must be {self.demand}, not {shown(value)}") from None


def refused(message: str) -> PydanticCustomError:
    """Make a validation error whose message is meant for people."""
    return PydanticCustomError(REFUSED, "{message}", {"message": message})

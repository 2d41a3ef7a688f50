"""Overrides: other values for some keys of a definition, for one run."""

from collections.abc import Sequence

from lineshaft.definition import read_native
from lineshaft.model.definition import Definition, Format
from lineshaft.model.errors import InvalidInputError


def overridden(definition: Definition, overrides: Sequence[tuple[str, str]]) -> Definition:
    """Give keys of a definition other values, and read it again.

    Args:
        definition: as it is.
        overrides: keys by dotted path, each with the text of its value.

    Raises:
        InvalidInputError: the definition is not of the pipeline language.
        InvalidDefinitionError: a path leads nowhere, or what comes out makes no sense.
        InputTooLargeError: what comes out is over a limit.
    """
    if definition.format is not Format.NATIVE:
        raise InvalidInputError(
            "Only a pipeline of the pipeline language takes overrides.",
            advice="Write it anew with `lineshaft convert`, and replace it.",
        )
    return read_native(definition.text.encode(), overrides=overrides)

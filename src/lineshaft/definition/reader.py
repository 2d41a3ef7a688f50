"""Reading a definition back from the text that the store kept."""

from typing import assert_never

from lineshaft.definition.compiling.canonical import read_canonical_native
from lineshaft.definition.rest import read_canonical_rest
from lineshaft.model.definition import Definition, Format


def read_definition(
    format: Format,  # noqa: A002 - It is what the model calls it; nothing here formats anything.
    text: str,
) -> Definition:
    """Read the canonical text of a definition; fast, because it was checked when it was made.

    Args:
        format: of the definition that the text comes from.
        text: that definition's `text`, unchanged.
    """
    match format:
        case Format.REST:
            return read_canonical_rest(text)
        case Format.NATIVE:
            return read_canonical_native(text)
        case _:
            assert_never(format)

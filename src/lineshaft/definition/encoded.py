"""A definition's text as it comes from outside: bytes."""

from typing import Final

from lineshaft.definition.findings import invalid
from lineshaft.model.errors import InputTooLargeError, Problem

SIZE_LIMIT_BYTES: Final = 1 << 20
"""How long a definition's text may be."""


def decoded(data: str | bytes) -> str:
    """Decode a definition's text, or hold one that is decoded already against the same rules.

    Raises:
        InputTooLargeError: it is longer than the limit above.
        InvalidDefinitionError: it is not UTF-8.
    """
    if isinstance(data, str):
        data = data.encode(errors="surrogatepass")
    if len(data) > SIZE_LIMIT_BYTES:
        raise InputTooLargeError(
            f"A definition has at most {SIZE_LIMIT_BYTES:,} bytes; this one has {len(data):,}."
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise invalid([Problem("", message, line, column)]) from None

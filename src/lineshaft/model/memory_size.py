"""Memory sizes as people write them: `512MiB`, `2GB`."""

import re
from typing import Final

MEMORY_SIZE_PATTERN: Final = r"^([0-9]{1,9})(\.[0-9]{1,3})? ?([KMGT]i?)?B?$"
"""What a size looks like, as a regular expression that ECMA 262, Rust and Python read alike."""

_UNITS: Final = {
    "": 1,
    **{f"{letter}i": 1024 ** (index + 1) for index, letter in enumerate("KMGT")},
    **{letter: 1000 ** (index + 1) for index, letter in enumerate("KMGT")},
}


def memory_bytes_of(text: str) -> int | None:
    """Read a size: bytes, or `KiB` to `TiB` in steps of 1024, or `KB` to `TB` in steps of 1000.

    Returns:
        How many bytes; None when the text is no size, or not above 0.
    """
    parts = re.fullmatch(MEMORY_SIZE_PATTERN, text)
    if parts is None:
        return None
    return int(float(parts[1] + (parts[2] or "")) * _UNITS[parts[3] or ""]) or None

"""Memory sizes as people write them: `512MiB`, `2GB`."""

import re
from typing import Final

MEMORY_SIZE_PATTERN: Final = r"^([0-9]{1,9})(\.[0-9]{1,3})? ?([KMGT]i?)?B?$"
"""What a size looks like, as a regular expression that ECMA 262, Rust and Python read alike."""

_STEP: Final = 1024
_UNITS: Final = {
    "": 1,
    **{f"{letter}i": _STEP ** (index + 1) for index, letter in enumerate("KMGT")},
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


def memory_size(size_bytes: float) -> str:
    """Say an amount of memory for people, in the largest unit of which there is one: `1.5 GiB`, `512 MiB`."""
    size, unit = float(size_bytes), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < _STEP:
            break
        size, unit = size / _STEP, larger
    return f"{size:.1f}".removesuffix(".0") + f" {unit}"

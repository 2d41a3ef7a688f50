"""How much is packed into one archive, and unpacked from one."""

from dataclasses import dataclass
from typing import Final

MOST_ENTRIES: Final = 250_000
"""How many files, links and empty folders one archive has at most."""

LONGEST_NAME_BYTES: Final = 255
"""How long the name of one file or folder may be: what Linux's file systems take."""

LONGEST_PATH_BYTES: Final = 4000
"""How long a path in an archive may be."""

DEEPEST: Final = 200
"""How many folders may lie in one another."""

LONGEST_TARGET_BYTES: Final = 4000
"""How long the target of a link may be."""

CHUNK_BYTES: Final = 1 << 20
"""How much is read and written at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may unpack to.

    Attributes:
        entries: how many entries it may have.
        size_bytes: how large all of its files together may be.
        ratio: how many times larger than itself its files may be.
        any_ratio_bytes: up to how many bytes the ratio does not matter.
    """

    entries: int = MOST_ENTRIES
    size_bytes: int = 2**40
    ratio: int = 250
    any_ratio_bytes: int = 2**30

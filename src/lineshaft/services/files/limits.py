"""How much of files is kept, and for how long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lineshaft.wire.files import PART_WAIT_SECONDS

_GIB: Final = 1024**3

MOST_UPLOADS: Final = 1_000
"""How many results, artifacts and caches an attempt may keep."""

MOST_CACHES: Final = 1_000
"""How many caches a pipeline may have."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How much of files is kept, and for how long.

    Attributes:
        artifact_bytes: how many bytes one artifact, result or cache may have.
        run_bytes: how many bytes the artifacts and results of a run may have together.
        cache_bytes: how many bytes the caches of a pipeline may have together.
        caches_for: how long a cache is kept that nobody uses.
        parts_wait: how long a part waits for those before it, which have to be seen first.
    """

    artifact_bytes: int = 10 * _GIB
    run_bytes: int = 50 * _GIB
    cache_bytes: int = 10 * _GIB
    caches_for: timedelta = timedelta(days=14)
    parts_wait: timedelta = timedelta(seconds=PART_WAIT_SECONDS)


DEFAULT_FILE_LIMITS: Final = FileLimits()

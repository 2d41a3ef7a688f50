"""Artifacts: files of a task that are kept, whether as artifacts, results or caches."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.kept_files import ResultType

PART_BYTES: Final = 8 * 1024 * 1024
"""How many bytes each part of what is kept has, but for the last: content is sent and stored in parts."""

LONGEST_ARTIFACT_NAME: Final = 200
"""How many characters a name may have."""

LONGEST_CACHE_KEY: Final = 512
"""How many characters the key of a cache may have."""


class ArtifactKind(StrEnum):
    """What files are kept for."""

    ARTIFACT = "artifact"
    RESULT = "result"
    CACHE = "cache"


class ContentFormat(StrEnum):
    """How the bytes that are kept hold the files.

    FILE is one file as it is. ZIP is an archive (APPNOTE.TXT, 6.3.10) whose entries are stored or deflated,
    with ZIP64 where it is needed. TAR_ZSTD is a POSIX tar archive, compressed by Zstandard (RFC 8878).
    """

    FILE = "file"
    ZIP = "zip"
    TAR_ZSTD = "tar_zstd"


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes that are kept.

    Attributes:
        format: how they hold the files.
        media_type: what they are (RFC 6838).
        size_bytes: how many there are.
        sha256: of all of them, 64 hexadecimal digits.
    """

    format: ContentFormat
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """Files of an attempt that are kept; complete, and never changed again.

    Attributes:
        id: its own.
        kind: what they are kept for.
        address: which attempt kept them.
        pipeline_id: of whose run.
        path: the node's path in the run.
        name: unique among those of its kind that the attempt has kept; of a cache, its key.
        type: how the files of a result are written; None for all else.
        content: the bytes.
        created_at: when it was complete.
        expires_at: when it goes; None with its run, and a cache when it was not used for long.
    """

    id: UUID
    kind: ArtifactKind
    address: AttemptAddress
    pipeline_id: UUID
    path: str
    name: str
    type: ResultType | None
    content: Content
    created_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptCache:
    """Files that are found as a cache.

    Attributes:
        artifact: the files; their name is the key.
        scope: where they are found, such as a branch.
        used_at: when they were kept or last taken.
    """

    artifact: Artifact
    scope: str
    used_at: datetime

"""The messages by which workers keep files and get them back."""

from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, StringConstraints

from lineshaft.model.artifact import (
    LONGEST_ARTIFACT_NAME,
    LONGEST_CACHE_KEY,
    PART_BYTES,
    ArtifactKind,
    Content,
    ContentFormat,
)
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.kept_files import ResultType
from lineshaft.model.test_case import TestCase
from lineshaft.wire.message import Message
from lineshaft.wire.worker import Token

MOST_TEST_CASES: Final = 500
"""How many test cases one message may tell of."""

LARGEST_BYTES: Final = 2**40
"""How many bytes one artifact may have."""

PART_WAIT_SECONDS: Final = 30
"""How long a server lets a part wait for those before it."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A digest in hexadecimal."""

CacheKey = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_CACHE_KEY, pattern=r"^[^\x00]*$")
]
"""The key of a cache, or the beginning of one."""


Branch = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x20]*$")]
"""The name of a branch, or an empty text (git-check-ref-format(1))."""

_LONGEST_SECONDS: Final = 100 * 366 * 86_400.0


class Leased(Message):
    """What every message about files begins with.

    Attributes:
        address: the attempt.
        token: of its lease.
    """

    address: AttemptAddress
    token: Token


class UploadRequest(Leased):
    """A worker wants to keep files.

    Attributes:
        upload: chosen by the worker, at random; who has heard no answer says the same again, and goes on
            where it was. It becomes the artifact's id.
        kind: what they are kept for.
        name: what they are called; of a cache, its key.
        type: how the files of a result are written.
        format: how the bytes hold the files.
        media_type: what the bytes are.
        expire_seconds: how long they are kept; None as long as the run.
        branch: of a cache of a run whose branch the server does not know: the branch that the worker has
            found the source on.
    """

    upload: UUID
    kind: ArtifactKind
    name: CacheKey
    type: ResultType | None = None
    format: ContentFormat
    media_type: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]+/[\x20-\x7e]+$", max_length=200)]
    expire_seconds: float | None = Field(default=None, gt=0, le=_LONGEST_SECONDS, allow_inf_nan=False)
    branch: Branch = ""


class UploadAnswer(Message):
    """How an upload goes on.

    Attributes:
        part_bytes: how many bytes each part has, but for the last.
        parts: how many parts are there, from the first on without a gap.
        refused: why the files are not wanted, in one sentence; None where they are.
    """

    part_bytes: int
    parts: int = 0
    refused: str | None = None


class Part(Leased):
    """A part of an upload, whose bytes come with it.

    Attributes:
        upload: which upload it belongs to.
        number: which part it is, from 0.
        sha256: of all bytes of the upload from the first up to this part's last: that of the last part is
            the whole's.
    """

    upload: UUID
    number: int = Field(ge=0, lt=LARGEST_BYTES // PART_BYTES)
    sha256: Sha256


class UploadEnd(Leased):
    """All parts of an upload have been sent.

    Attributes:
        upload: which.
        size_bytes: of all parts together.
        sha256: of all parts together, in their order.
    """

    upload: UUID
    size_bytes: int = Field(ge=0, le=LARGEST_BYTES)
    sha256: Sha256


class KeptFiles(Message):
    """Files that a worker may read.

    Attributes:
        id: the artifact's.
        path: of the node that kept them.
        name: what they are called; of a cache, the key under which they were kept.
        content: the bytes.
    """

    id: UUID
    path: str
    name: str
    content: Content


class FilesRequest(Leased):
    """A worker asks for the artifacts of the nodes that its own needs."""


class FilesAnswer(Message):
    """Which these are.

    Attributes:
        files: in the order in which they are to be placed.
    """

    files: tuple[KeptFiles, ...] = ()


class ReadRequest(Leased):
    """A worker wants bytes of files that it was told of.

    Attributes:
        artifact: which files.
        start: of the first byte.
        stop: behind the last byte.
    """

    artifact: UUID
    start: int = Field(ge=0, le=LARGEST_BYTES)
    stop: int = Field(ge=0, le=LARGEST_BYTES)


class CacheRequest(Leased):
    """A worker looks for a cache.

    Attributes:
        key: what it was kept under.
        restore: beginnings of keys that will do, in their order.
        branch: where the server does not know the run's branch, the one that the worker has found the source
            on.
        default_branch: the repository's, where the worker knows it.
    """

    key: CacheKey
    restore: tuple[CacheKey, ...] = Field(default=(), max_length=50)
    branch: Branch = ""
    default_branch: Branch = ""


class CacheAnswer(Message):
    """What was found.

    Attributes:
        files: what is kept; None where nothing fits.
        exact: whether it was kept under the very key.
        branch: on which branch it was kept.
        writable: whether the run may keep a cache under the key now.
        why_not: why it may not, in one sentence; empty where it may.
    """

    files: KeptFiles | None = None
    exact: bool = False
    branch: str = ""
    writable: bool = True
    why_not: str = ""


class TestCases(Leased):
    """Test cases that a result of the attempt tells of.

    Attributes:
        result: the result's name.
        number: which message of this result it is, from 0; the same number again replaces nothing.
        cases: some of its test cases, in their order.
    """

    __test__ = False

    result: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ARTIFACT_NAME)]
    number: int = Field(ge=0, lt=10_000)
    cases: tuple[TestCase, ...] = Field(max_length=MOST_TEST_CASES)

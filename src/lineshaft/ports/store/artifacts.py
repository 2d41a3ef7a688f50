"""Files of attempts that are kept: while they come, while they are there, and when they go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from lineshaft.model.artifact import Artifact, ArtifactKind, Content, ContentFormat, KeptCache
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.kept_files import ResultType
from lineshaft.ports.blobs import part_key


class UploadState(StrEnum):
    """How far an upload has come.

    RECEIVING: parts are still to come. KEPT: it is an artifact. EXPIRING, EXPIRED: it was one, and its time
    is over. REMOVING: nobody may see it any more.
    """

    RECEIVING = "receiving"
    KEPT = "kept"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True)
class Upload:
    """Files of an attempt on their way.

    Attributes:
        id: chosen by the worker; it becomes the artifact's.
        kind: what they are kept for.
        address: whose they are.
        pipeline_id: of whose run.
        path: the node's path in the run.
        name: what they are called; of a cache, its key.
        type: how the files of a result are written; None for all else.
        format: how the bytes hold the files.
        media_type: what the bytes are.
        expire: how long they are kept; None as long as the run.
        scope: of a cache, where it is found; see `engine.cache_scope`. Empty for all else.
        state: how far it has come.
        received_bytes: how many bytes of it are durable.
        sha256: of all of it, once it has ended.
    """

    id: UUID
    kind: ArtifactKind
    address: AttemptAddress
    pipeline_id: UUID
    path: str
    name: str
    type: ResultType | None
    format: ContentFormat
    media_type: str
    expire: timedelta | None = None
    scope: str = ""
    state: UploadState = UploadState.RECEIVING
    received_bytes: int = 0
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of an upload.

    Attributes:
        content_id: the upload that it came with.
        number: which part it is, from 0.
        size_bytes: of its bytes.
        sha256: of all bytes of the upload from the first up to its last.
        stored: whether its blob is there for sure.
    """

    content_id: UUID
    number: int
    size_bytes: int
    sha256: str
    stored: bool = False

    @property
    def key(self) -> str:
        """The key of its blob."""
        return part_key(self.content_id, self.number, self.sha256)


class Artifacts(Protocol):
    """Uploads, and the artifacts that they become.

    Call order for an upload, in every transaction behind `hold_lease`: `add` once; for each part, `announce`
    before its blob is put and `note_stored` behind that; `keep` once.
    """

    def hold_lease(self, address: AttemptAddress, token: str) -> None:
        """Keep the lease on an attempt as it is until this transaction has ended.

        Raises:
            StaleLeaseError: the token is not that of the attempt's living lease.
        """
        ...

    def upload(self, upload_id: UUID) -> Upload | None:
        """Find an upload, in whatever state it is."""
        ...

    def count_of_attempt(self, address: AttemptAddress) -> int:
        """Tell how many uploads an attempt has begun."""
        ...

    def bytes_of_run(self, run_id: UUID) -> int:
        """Tell how many bytes a run keeps, with those that have arrived; caches are not counted."""
        ...

    def add(self, upload: Upload, now: datetime) -> bool:
        """Begin an upload; False where the attempt has one of its kind and name, or the id is taken."""
        ...

    def parts(self, artifact_id: UUID, first: int, limit: int) -> Sequence[StoredPart]:
        """List parts that hold an upload's or an artifact's bytes, by number, from `first` on."""
        ...

    def part(self, content_id: UUID, number: int) -> StoredPart | None:
        """Find a part by the upload that it came with; None where it was not announced, or was removed."""
        ...

    def announce(self, part: StoredPart) -> StoredPart:
        """Note that a part's blob is about to be put, and return the part that stands at its number."""
        ...

    def note_stored(self, part: StoredPart) -> bool:
        """Note that a part's blob is there; False when the upload takes no parts any more."""
        ...

    def keep(self, upload: Upload, content: Content, now: datetime) -> bool:
        """End an upload, all of whose parts are there.

        Where it is a cache, and another one in the pipeline has the same digest, the bytes are shared, and
        the parts that came are given up.

        Args:
            upload: which.
            content: its bytes, whose digest was seen and not only said.
            now: the time.

        Returns:
            Whether it is kept; False where a cache of the same key came first, whose bytes stay.
        """
        ...

    def get(self, artifact_id: UUID) -> Artifact | None:
        """Find an artifact; one whose `expires_at` has come is gone, and yet found while its run is there."""
        ...

    def of_run(
        self, run_id: UUID, kinds: Collection[ArtifactKind], *, after: UUID | None, limit: int
    ) -> Sequence[Artifact]:
        """List a run's artifacts of some kinds, expired ones too, by id, from behind `after`."""
        ...

    def of_attempts(self, addresses: Collection[AttemptAddress], kind: ArtifactKind) -> Sequence[Artifact]:
        """List the artifacts of a kind that attempts have kept, by attempt and name."""
        ...

    def remove(self, artifact_id: UUID) -> bool:
        """Let the files of an artifact that is no cache go; False where there is none."""
        ...

    def remove_of_run(self, run_id: UUID) -> None:
        """Let all files of a run go, but for its caches."""
        ...

    def expire(self, now: datetime, limit: int) -> int:
        """Let artifacts go whose time is over, and tell how many they were."""
        ...

    def abandon(self, limit: int) -> int:
        """Let uploads go whose attempt is not leased any more, and tell how many they were."""
        ...

    def sweep(self, now: datetime, limit: int) -> bool:
        """Remove some of the parts of what was let go; their blobs by an outbox entry `delete_blobs`.

        Returns:
            Whether there is nothing more to do.
        """
        ...


class Caches(Protocol):
    """Which artifacts are found as caches."""

    def find(self, pipeline_id: UUID, scope: str, key: str) -> Artifact | None:
        """Find the one that is kept under a key in a scope."""
        ...

    def newest(self, pipeline_id: UUID, scope: str, beginning: str) -> Artifact | None:
        """Find the one that was kept last in a scope, of those whose keys begin so."""
        ...

    def use(self, artifact_id: UUID, now: datetime) -> None:
        """Note that one was used."""
        ...

    def has(self, artifact_id: UUID) -> tuple[UUID, str] | None:
        """Tell in which pipeline and which scope an artifact is found as a cache; None where it is not."""
        ...

    def page(self, pipeline_id: UUID, *, after: UUID | None, limit: int) -> Sequence[KeptCache]:
        """List a pipeline's, by id, from behind `after`."""
        ...

    def delete(self, pipeline_id: UUID, artifact_ids: Sequence[UUID]) -> int:
        """Let some of a pipeline's go, and tell how many were there."""
        ...

    def remove_unused(self, before: datetime, limit: int) -> int:
        """Let caches go that were last used before a time, and tell how many they were."""
        ...

    def remove_surplus(self, pipeline_id: UUID, *, most: int, most_bytes: int) -> int:
        """Let those of a pipeline's caches go that were used least lately, until no more are there than that.

        Args:
            pipeline_id: whose caches.
            most: how many may stay.
            most_bytes: how many bytes they may have together.

        Returns:
            How many went.
        """
        ...

    def remove_of_deleted_pipelines(self, limit: int) -> int:
        """Let caches of pipelines go that are deleted, and tell how many they were."""
        ...

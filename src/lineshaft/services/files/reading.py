"""Reading kept files by ranges of bytes."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Final

from lineshaft.model.artifact import PART_BYTES, Artifact
from lineshaft.model.errors import ArtifactExpiredError, NotFoundError
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Store, StoredPart, Transaction

_PARTS_AT_ONCE: Final = 100


class FileReading:
    """Reads what is kept."""

    def __init__(self, store: Store, blobs: Blobs, clock: Clock) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock

    def refuse_expired(self, artifact: Artifact) -> None:
        """Refuse an artifact whose time is over.

        Raises:
            ArtifactExpiredError: it is.
        """
        if artifact.expires_at is not None and artifact.expires_at <= self._clock.now():
            raise _expired(artifact)

    async def read(self, artifact: Artifact, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` up to `stop`, or to the end, in chunks of at most 1 MiB.

        No more than a chunk is in memory, however long the files are.

        Raises:
            ArtifactExpiredError: the files are removed already, or meanwhile.
            UnavailableError: the database or the blob store does not answer.
        """
        self.refuse_expired(artifact)
        stop = min(stop, artifact.content.size_bytes)
        known: Sequence[StoredPart] = ()
        at = start
        while at < stop:
            number = at // PART_BYTES
            if not known or known[-1].number < number:
                known = await self._store.read(_parts(artifact, number))
            part = next((each for each in known if each.number == number), None)
            if part is None:
                raise _expired(artifact)
            begins = number * PART_BYTES
            until = min(stop - begins, part.size_bytes)
            try:
                async for chunk in self._blobs.read(part.key, at - begins, until):
                    at += len(chunk)
                    yield chunk
            except NotFoundError:
                raise _expired(artifact) from None
            if at < begins + until:
                raise _expired(artifact)


def _expired(artifact: Artifact) -> ArtifactExpiredError:
    return ArtifactExpiredError(f"'{artifact.name}' has expired, and is not kept any more.")


def _parts(artifact: Artifact, first: int) -> Callable[[Transaction], Sequence[StoredPart]]:
    return lambda transaction: transaction.artifacts.parts(artifact.id, first, _PARTS_AT_ONCE)

"""What receives, reads and removes kept files, wired together."""

from dataclasses import dataclass

from lineshaft.ports.blobs import Blobs
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store
from lineshaft.services.files.caches import CacheService
from lineshaft.services.files.desk import FilesDesk, TakeTests
from lineshaft.services.files.expiring import FileExpiry
from lineshaft.services.files.limits import FileLimits
from lineshaft.services.files.reading import FileReading
from lineshaft.services.files.receiving import Receiving
from lineshaft.services.files.shown import ShownFiles


@dataclass(frozen=True, slots=True)
class FileServices:
    """Files of attempts that are kept.

    Attributes:
        desk: the workers' files by direct calls.
        reading: reads the bytes of what is kept.
        expiry: removes what is no longer kept.
        shown: results and artifacts, as people find them.
        caches: caches, as people look after them.
    """

    desk: FilesDesk
    reading: FileReading
    expiry: FileExpiry
    shown: ShownFiles
    caches: CacheService


def wire_files(
    store: Store, blobs: Blobs, clock: Clock, ids: Ids, limits: FileLimits, *, take_tests: TakeTests
) -> FileServices:
    """Wire the services of kept files.

    Args:
        store: where it stands what is kept.
        blobs: where the bytes are.
        clock: tells the time.
        ids: makes ids.
        limits: how much is kept, and for how long.
        take_tests: keeps the test cases that workers tell of.
    """
    reading = FileReading(store, blobs, clock)
    receiving = Receiving(store, blobs, clock, limits)
    return FileServices(
        desk=FilesDesk(store, clock, receiving, reading, take_tests=take_tests),
        reading=reading,
        expiry=FileExpiry(limits),
        shown=ShownFiles(store, clock, ids, reading),
        caches=CacheService(store, clock, ids),
    )

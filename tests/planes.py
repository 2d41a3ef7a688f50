"""Control planes for tests: all that a server has, on a temporary database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from lineshaft.definition import read_definition
from lineshaft.definition.compiling.generated import read_generated
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.limits import NO_LIMITS, Limits
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.cipher import NO_KEYS, Cipher
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.secret_store import SecretStore
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.identity import IdentityTerms
from lineshaft.services.worker_keys import FileKeys, no_file_keys
from lineshaft.store import open_store

USERNAME = "admin"
PASSWORD = "admin"

LEASE_TIME = timedelta(seconds=30)


@asynccontextmanager
async def temporary_plane(
    folder: Path,
    clock: Clock | None = None,
    blobs: Blobs | None = None,
    *,
    limits: Limits = NO_LIMITS,
    file_keys: FileKeys = no_file_keys,
    cipher: Cipher = NO_KEYS,
    other_secrets: Sequence[SecretStore] = (),
    identity_terms: IdentityTerms | None = None,
) -> AsyncIterator[ControlPlane]:
    """Open a control plane on a temporary database; its blobs are in the folder, unless it gets others."""
    ids = RandomIds()
    store = await open_store(
        "sqlite://", ids=ids, read_definition=read_definition, read_generated=read_generated
    )
    try:
        plane = ControlPlane(
            store,
            blobs or BlobFolder(folder),
            clock or SystemClock(),
            ids,
            check=lambda _: None,
            lease_time=LEASE_TIME,
            limits=limits,
            file_keys=file_keys,
            cipher=cipher,
            other_secrets=other_secrets,
            identity_terms=identity_terms,
        )
        await plane.credentials.ensure_user(USERNAME, PASSWORD)
        yield plane
    finally:
        await store.close()

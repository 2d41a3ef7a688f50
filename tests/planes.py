"""Control planes for tests: all that a server has, on a temporary database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from argon2 import PasswordHasher

from lineshaft.definition import read_definition
from lineshaft.definition.compiling.generated import read_generated
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.limits import NO_LIMITS, Limits
from lineshaft.model.role import Role
from lineshaft.model.user import User
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.cipher import NO_KEYS, Cipher
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.ports.events import EventSink
from lineshaft.ports.forge import NO_FORGES, Forges
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.mailer import Mailer
from lineshaft.ports.no_repositories import NO_REPOSITORIES
from lineshaft.ports.pipelines_text import PipelinesText
from lineshaft.ports.repositories import Repositories
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store
from lineshaft.services.access.provider_sign_in import ProviderAccess
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.files.limits import DEFAULT_FILE_LIMITS, FileLimits
from lineshaft.services.fleet.worker_keys import FileKeys, no_file_keys
from lineshaft.services.notifying.terms import NO_TERMS, MailTerms
from lineshaft.services.secrets.identity import NO_IDENTITY, IdentityTerms
from lineshaft.store import open_store

USERNAME = "admin"
PASSWORD = "admin"

LEASE_TIME = timedelta(seconds=30)


_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""A hash tells by itself what it costs to check, and a real one costs more than most tests."""


async def add_user(store: Store) -> None:
    """Let a user in by USERNAME and PASSWORD."""
    user = User(USERNAME, _HASHER.hash(PASSWORD), Role.ADMIN)
    await store.write(lambda transaction: transaction.users.put(user))


@asynccontextmanager
async def temporary_plane(
    folder: Path,
    clock: Clock | None = None,
    blobs: Blobs | None = None,
    *,
    url: str = "sqlite://",
    limits: Limits = NO_LIMITS,
    file_keys: FileKeys = no_file_keys,
    provider: ProviderAccess | None = None,
    cipher: Cipher = NO_KEYS,
    other_secrets: Sequence[SecretStore] = (),
    identity_terms: IdentityTerms = NO_IDENTITY,
    file_limits: FileLimits = DEFAULT_FILE_LIMITS,
    forges: Forges = NO_FORGES,
    repositories: Repositories = NO_REPOSITORIES,
    pipelines_text: PipelinesText | None = None,
    mailer: Mailer | None = None,
    mail_terms: MailTerms = NO_TERMS,
    events: EventSink | None = None,
    public_url: str = "",
) -> AsyncIterator[ControlPlane]:
    """Open a control plane on a database, without `url` a temporary one.

    Its blobs are in the folder, unless it gets others.
    """
    ids = RandomIds()
    store = await open_store(url, ids=ids, read_definition=read_definition, read_generated=read_generated)
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
            provider=provider,
            cipher=cipher,
            other_secrets=other_secrets,
            identity_terms=identity_terms,
            file_limits=file_limits,
            forges=forges,
            repositories=repositories,
            pipelines_text=pipelines_text,
            mailer=mailer,
            mail_terms=mail_terms,
            events=events,
            public_url=public_url,
        )
        await add_user(store)
        yield plane
    finally:
        await store.close()

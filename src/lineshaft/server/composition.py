"""What a server consists of, put together from its settings."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lineshaft.definition import read_definition, read_generated
from lineshaft.executors.label import label_prefix
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.integrations.forges.known import KnownForges
from lineshaft.integrations.git.eviction import MirrorEviction
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.object_readers import ObjectReaders
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.integrations.key_file import own_key_file, read_key_file
from lineshaft.integrations.key_ring import KeyRing
from lineshaft.integrations.mail import SmtpRelay
from lineshaft.integrations.nats import NatsEventSink
from lineshaft.integrations.object_store import ObjectStore
from lineshaft.integrations.openid import OpenIdProvider
from lineshaft.integrations.outgoing import Guard
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.pipelines_text import PipelinesAtPath, PipelinesAtUrl
from lineshaft.integrations.pipelines_text.url import BOUNDS
from lineshaft.integrations.vault import VaultSecrets
from lineshaft.model.definition import Definition
from lineshaft.model.errors import UnavailableError
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.cipher import Cipher
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.forge import Forges
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.mailer import Mailer
from lineshaft.ports.pipelines_text import PipelinesText
from lineshaft.ports.repositories import Repositories
from lineshaft.ports.secret_store import SecretStore
from lineshaft.sdk.nats.connection import NatsConnection
from lineshaft.sdk.nats.streams import Streams
from lineshaft.server.nats_desk import NatsDesk
from lineshaft.server.pages.sign_in import RETURN_PATH
from lineshaft.server.repositories import repository_check
from lineshaft.server.settings import ServerSettings
from lineshaft.server.worker_keys_file import WorkerKeysFile
from lineshaft.services.access.provider_sign_in import ProviderAccess
from lineshaft.services.access.settings_user import follow_settings
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.fleet.worker_keys import no_file_keys
from lineshaft.services.pipelines import Check
from lineshaft.store import open_store

_LOG: Final = logging.getLogger("lineshaft.blobs")
_NATS_LOG: Final = logging.getLogger("lineshaft.nats")
_MAIL_LOG: Final = logging.getLogger("lineshaft.mail")

BLOBS: Final = "blobs"
"""The folder for blobs within the data folder."""

REPOSITORIES: Final = "repositories"
"""The folder for mirrors of repositories within the data folder."""

SECRETS_KEY: Final = "secrets.key"
"""The file within the data folder for the key that seals secrets, where the settings name none."""


@asynccontextmanager
async def open_control_plane(settings: ServerSettings) -> AsyncIterator[ControlPlane]:
    """Open a server's state and run its background work while the context is open.

    Raises:
        ConfigurationError: the database, the data folder or a file of keys cannot be used so.
        StoreUnavailableError: the database does not answer.
    """
    ids = RandomIds()
    keys_file = settings.worker_keys_file
    file_keys = no_file_keys if keys_file is None else WorkerKeysFile(keys_file)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    cipher = _cipher(settings)
    store = await open_store(
        settings.database_url, ids=ids, read_definition=read_definition, read_generated=read_generated
    )
    async with AsyncExitStack() as opened:
        opened.push_async_callback(store.close)
        nats = await _nats(settings, opened)
        plane = ControlPlane(
            store,
            await _open_blobs(settings),
            SystemClock(),
            ids,
            check=_check(settings),
            lease_time=timedelta(seconds=settings.lease_seconds),
            run_time_limit=timedelta(seconds=settings.run_time_limit),
            limits=settings.limits,
            file_keys=file_keys,
            kept=settings.kept,
            file_limits=settings.file_limits,
            session_times=settings.session_times,
            provider=await _provider_access(settings, opened),
            cipher=cipher,
            identity_terms=settings.identity_terms,
            other_secrets=await _vault(settings, opened),
            forges=await _forges(opened),
            repositories=await _repositories(settings, opened),
            pipelines_text=await _pipelines_text(settings, opened),
            mailer=_mailer(settings),
            mail_terms=settings.mail_terms,
            events=None if nats is None else NatsEventSink(nats),
            public_url="" if settings.public_url is None else f"{settings.public_url}",
        )
        await plane.secrets.keeping.check_keys()
        await follow_settings(
            store, SystemClock(), ids, settings.username, settings.password.get_secret_value()
        )
        async with plane.running(), AsyncExitStack() as serving:
            if nats is not None:
                desk = NatsDesk(nats, plane.fleet.desk, streams=Streams(nats))
                await serving.enter_async_context(desk.serving())
            yield plane


async def _nats(settings: ServerSettings, opened: AsyncExitStack) -> NatsConnection | None:
    """Connect to NATS; a server begins without it as well, and finds it once it is there."""
    access = settings.nats_access
    if access is None:
        return None
    return await opened.enter_async_context(NatsConnection(access, "lineshaft server", _NATS_LOG).open())


async def _repositories(settings: ServerSettings, opened: AsyncExitStack) -> Repositories:
    """Prepare to read repositories; other processes of this server may use the same mirrors."""
    folder = settings.data / REPOSITORIES
    folder.mkdir(mode=0o700, exist_ok=True)
    own = Path(opened.enter_context(TemporaryDirectory(prefix="lineshaft-git-")))
    git = GitProgram(ProcessExecutor(), own, f"{label_prefix(folder)}{os.getpid()}/git")
    guard = Guard(allow_private=settings.private_repositories)
    readers = ObjectReaders(git, own)
    opened.push_async_callback(readers.close)
    await opened.enter_async_context(MirrorEviction(folder, SystemClock()).running())
    mirrors = Mirrors(git, folder, settings.git_roots, guard=guard, partial=True, readers=readers)
    return GitRepositories(mirrors)


async def _pipelines_text(settings: ServerSettings, opened: AsyncExitStack) -> PipelinesText | None:
    said = settings.pipelines
    if said is None:
        return None
    if isinstance(said, Path):
        return PipelinesAtPath(said)
    # Who starts the server names it, and a place on their own network is the usual one.
    client = await opened.enter_async_context(outgoing_client(Guard(allow_private=True), BOUNDS))
    return PipelinesAtUrl(said, client)


def _check(settings: ServerSettings) -> Check:
    """Refuse definitions that the settings do not allow, and warn of what they leave without effect."""
    check_repository = repository_check(settings.git_roots)

    def check(definition: Definition) -> None:
        check_repository(definition)
        if definition.notifications and settings.smtp_access is None:
            _MAIL_LOG.warning(
                "The notifications of pipeline %s have nowhere to go: LINESHAFT_SMTP_URL is not set.",
                ascii(definition.name),
            )

    return check


def _mailer(settings: ServerSettings) -> Mailer | None:
    access = settings.smtp_access
    return None if access is None else SmtpRelay(access)


async def _vault(settings: ServerSettings, opened: AsyncExitStack) -> Sequence[SecretStore]:
    """Open the Vault; a server begins without it as well, and finds it once it is there."""
    if settings.vault_access is None:
        return ()
    vault = await opened.enter_async_context(VaultSecrets(settings.vault_access, SystemClock()).open())
    staying = asyncio.create_task(vault.stay_signed_in())

    async def leave() -> None:
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)

    opened.push_async_callback(leave)
    return (vault,)


async def _forges(opened: AsyncExitStack) -> Forges:
    # Who makes connections looks after the server, and a forge on its own network is the usual case.
    client = await opened.enter_async_context(outgoing_client(Guard(allow_private=True)))
    return KnownForges(client, SystemClock())


async def _provider_access(settings: ServerSettings, opened: AsyncExitStack) -> ProviderAccess | None:
    client = settings.openid_client
    if client is None:
        return None
    provider = OpenIdProvider(client, SystemClock())
    opened.push_async_callback(provider.close)
    return ProviderAccess(
        provider,
        settings.provider_label,
        settings.admission,
        # It is secret, and the same in all server processes.
        client.client_secret.encode(),
        f"{settings.public_url}".rstrip("/") + RETURN_PATH,
    )


def _cipher(settings: ServerSettings) -> Cipher:
    if settings.secrets_key_file is not None:
        return read_key_file(settings.secrets_key_file)
    if settings.secrets_key is not None:
        return KeyRing.read(settings.secrets_key.get_secret_value(), "LINESHAFT_SECRETS_KEY")
    return own_key_file(settings.data / SECRETS_KEY)


async def _open_blobs(settings: ServerSettings) -> Blobs:
    if settings.blobs_url is None:
        return BlobFolder(settings.data / BLOBS)
    blobs = ObjectStore.open(settings.blobs_url)
    try:
        await blobs.check()
    except UnavailableError as error:
        # Logs stay in the database until it is there.
        _LOG.warning("%s %s", error.message, error.advice)
    return blobs

"""The kept workspace of a failed attempt: what is known of it, and a shell's right to it.

Each has a folder of its own, with the workspace and the facts in it. It counts as long as its facts are
there, which are the last to be written and the first to be removed. Who is at work in it holds a shared lock
of the folder, so that it is not removed before that ends.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime, ValidationError

from lineshaft.definition.repository import without_credentials
from lineshaft.executors.settings import ExecutorChoice
from lineshaft.model.errors import ConfigurationError
from lineshaft.wire.message import Message
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.removal import FOLDER_FLAGS, remove_tree

FOLDER: Final = "failed"
"""In which folder of its own a worker keeps them."""

_FACTS: Final = "facts.json"
_WORKSPACE: Final = "workspace"
_MODE: Final = 0o600
_NONE: Final = "none"
_PRINTED: Final = "%Y-%m-%dT%H:%M:%SZ"


class Facts(Message):
    """What a shell needs to know of an attempt that is over.

    Attributes:
        lease: the attempt, without its token and without any secret.
        commit: what was checked out; None where there was no source.
        objects: the folders outside of the workspace that its repository reads.
        until: when the workspace goes.
        executor: in what the attempt ran.
        default_image: the image that it ran in where it names none.
    """

    lease: LeaseMessage
    commit: str | None
    objects: tuple[Path, ...]
    until: AwareDatetime
    executor: ExecutorChoice
    default_image: str | None


@dataclass(frozen=True, slots=True)
class FailedWorkspace:
    """The workspace of an attempt that has failed, as its task left it.

    Attributes:
        place: the folder that holds it and its facts.
        facts: what is known of its attempt.
    """

    place: Path
    facts: Facts

    @property
    def folder(self) -> Path:
        """The workspace."""
        return workspace_in(self.place)

    @property
    def until_text(self) -> str:
        """Say when it goes, as RFC 3339 in UTC."""
        return instant_text(self.facts.until)

    def write(self) -> None:
        """Write the facts, by which it counts from now on.

        Raises:
            OSError: there is no room for them.
        """
        unfinished = self.place / "facts.new"
        # A path of a changeset may be no UTF-8, which only JSON in ASCII can hold.
        text = json.dumps(self.facts.model_dump(mode="json"))
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w") as file:
            file.write(text)
        unfinished.rename(self.place / _FACTS)


def workspace_in(place: Path) -> Path:
    """Tell where the workspace is in a folder."""
    return place / _WORKSPACE


def instant_text(at: datetime) -> str:
    """Say a time to the second, as RFC 3339 in UTC."""
    return at.strftime(_PRINTED)


def without_secrets(lease: LeaseMessage) -> LeaseMessage:
    """Leave out of a lease what must not outlive it: its token, secrets, and credentials in addresses."""
    return lease.model_copy(
        update={
            "token": _NONE,
            "secret_values": {},
            "id_tokens": {},
            "source_login": None,
            "repository": None if lease.repository is None else without_credentials(lease.repository),
        }
    )


def read_failed(place: Path) -> FailedWorkspace | None:
    """Read what a folder holds; None where it holds no kept workspace, or not a whole one."""
    try:
        facts = Facts.model_validate(json.loads((place / _FACTS).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None
    found = FailedWorkspace(place, facts)
    return found if found.folder.is_dir() else None


def remove_failed(place: Path) -> None:
    """Have one gone. One that a shell is at work in counts no more from now on, and that shell removes it."""
    with contextlib.suppress(FileNotFoundError):
        (place / _FACTS).unlink()
    with _folder_lock(place) as lock:
        _remove_unlocked(place, lock)


@contextmanager
def opened_failed(data: Path, run_id: UUID, path: str) -> Iterator[FailedWorkspace | None]:
    """Find the workspace of a node's newest failed attempt, and keep it from being removed meanwhile.

    Args:
        data: the data folder of the workers of this machine.
        run_id: of the run.
        path: of the node in it.

    Yields:
        It; None where there is none.

    Raises:
        ConfigurationError: the folder is not for this user.
    """
    found = [
        each
        for place in _places(data)
        if (each := read_failed(place)) is not None
        and each.facts.lease.address.run_id == run_id
        and each.facts.lease.path == path
    ]
    if not found:
        yield None
        return
    newest = max(found, key=lambda each: (each.facts.lease.address.attempt, each.facts.until))
    with _folder_lock(newest.place) as lock:
        if lock is not None:
            fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            yield read_failed(newest.place)
        finally:
            if not (newest.place / _FACTS).exists():
                _remove_unlocked(newest.place, lock)


def _places(data: Path) -> list[Path]:
    try:
        workers = list((data / "workers").iterdir())
        roots = [worker / FOLDER for worker in workers if (worker / FOLDER).is_dir()]
        return [place for root in roots for place in root.iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigurationError(
            f"The workspaces that are kept in {data} cannot be looked at: {error.strerror}.",
            advice="Open the shell as the worker's user, or with --fresh.",
        ) from error


@contextmanager
def _folder_lock(place: Path) -> Iterator[int | None]:
    """Open a folder to lock it; None where it is not there."""
    try:
        folder = os.open(place, FOLDER_FLAGS)
    except OSError:
        yield None
        return
    try:
        yield folder
    finally:
        os.close(folder)


def _remove_unlocked(place: Path, lock: int | None) -> None:
    """Remove a folder unless somebody else is at work in it."""
    if lock is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
    remove_tree(place)

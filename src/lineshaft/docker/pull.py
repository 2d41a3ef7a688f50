"""Fetching an image from its registry."""

import time
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, assert_never

from lineshaft.docker.failure import engine_lost
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.messages import Lost, Refused, Said, listen
from lineshaft.docker.words import Fault, fault_told
from lineshaft.model.image_name import Reference
from lineshaft.model.memory_size import memory_size
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import ByteSink, NotStarted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiodocker import Docker

_TELL_SECONDS: Final = 10.0

_DONE: Final = ("Status: ", "Digest: ", "Download complete", "Pull complete")


async def pull(
    docker: "Docker",
    reference: Reference,
    login: RegistryLogin | None,
    *,
    address: str,
    output: ByteSink,
    seconds: Callable[[], float] = time.monotonic,
) -> NotStarted | None:
    """Fetch an image, and tell of it in a few lines.

    Args:
        docker: the engine.
        reference: the image's name.
        login: with what its registry is asked; None asks as nobody.
        address: the engine's, for messages.
        output: takes what is told.
        seconds: the time in seconds since some moment.

    Returns:
        None once it is there, else why it is not.
    """
    begun = seconds()
    progress = Progress()
    await output.write(f"Pulling the image {reference}.\n".encode())
    told, done = begun, False
    async with aclosing(listen(_messages(docker, reference, login))) as messages:
        async for message in messages:
            match message:
                case Said():
                    done = done or str(message.message.get("status", "")).startswith(_DONE)
                    progress.take(message.message)
                    if seconds() - told >= _TELL_SECONDS and progress.text:
                        told = seconds()
                        await output.write(f"{progress.text}\n".encode())
                case Refused():
                    return why_not_pulled(reference, message.text)
                case Lost():
                    return engine_lost(address, message.cause)
    if not done:
        return engine_lost(address, "it went away in the middle of a pull")
    await output.write(f"Pulled it in {seconds() - begun:.1f} s{progress.digest}.\n".encode())
    return None


def why_not_pulled(reference: Reference, words: str) -> NotStarted:
    """Find out what has failed a pull.

    Args:
        reference: the image's name.
        words: what the engine says.
    """
    text = f"The image {reference} could not be pulled: {words.removesuffix('.')}."
    match fault_told(words):
        case Fault.DISK_FULL:
            return NotStarted(text, ReasonCode.DISK_FULL, ours=True)
        case Fault.DENIED:
            hint = "`registries` of the pipeline says with what a registry is asked"
            return NotStarted(f"{text} {hint.capitalize()}.", ReasonCode.IMAGE_PULL_DENIED)
        case Fault.MISSING:
            return NotStarted(text, ReasonCode.IMAGE_NOT_FOUND)
        case Fault.AWAY | None:
            return NotStarted(text, ReasonCode.REGISTRY_UNREACHABLE, ours=True)
        case fault:
            assert_never(fault)


class Progress:
    """How far a pull is."""

    def __init__(self) -> None:
        """Begin with no layers known."""
        self._bytes_by_layer: dict[str, tuple[int, int]] = {}
        self.digest = ""

    def take(self, message: dict[str, Any]) -> None:
        """Take a message of the engine."""
        match message:
            case {
                "status": "Downloading",
                "id": str() as layer,
                "progressDetail": {"current": int() as current, "total": int() as total},
            }:
                self._bytes_by_layer[layer] = (current, max(current, total))
            case {"status": str() as status, "id": str() as layer} if layer in self._bytes_by_layer:
                if status in {"Download complete", "Pull complete"}:
                    total = self._bytes_by_layer[layer][1]
                    self._bytes_by_layer[layer] = (total, total)
            case {"status": str() as status} if status.startswith("Digest: "):
                self.digest = f", {status.removeprefix('Digest: ')[:200]}"

    @property
    def text(self) -> str:
        """How much of it has come, as a line; empty where nothing is known."""
        total = sum(total for _, total in self._bytes_by_layer.values())
        current = sum(current for current, _ in self._bytes_by_layer.values())
        return f"    {memory_size(current)} of {memory_size(total)}" if total else ""


def _messages(
    docker: "Docker", reference: Reference, login: RegistryLogin | None
) -> "AsyncIterator[dict[str, Any]]":
    from aiodocker.utils import compose_auth_header

    headers = {}
    if login is not None:
        headers["X-Registry-Auth"] = compose_auth_header(login.as_header(), reference.registry)
    # The client's own method for this refuses credentials for Docker's own registry, which names no host.
    query = docker._query(  # noqa: SLF001
        "images/create",
        "POST",
        params={"fromImage": reference.repository, "tag": reference.version},
        headers=headers,
        timeout=None,
    )
    return docker.images._handle_stream(query)  # type: ignore[no-any-return,no-untyped-call] # noqa: SLF001

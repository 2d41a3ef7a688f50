"""What it is to a task that an engine refuses something or goes away."""

from lineshaft.docker.engine import unreachable
from lineshaft.docker.messages import no_answer
from lineshaft.docker.words import Fault, fault_told
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.ports.executor import NotStarted
from lineshaft.telemetry.cause import brief, cause_of


def engine_errors() -> tuple[type[Exception], ...]:
    """Name what calls of an engine raise when it refuses, goes away or makes no sense."""
    from aiodocker import DockerError
    from aiohttp import ClientError

    return (DockerError, ClientError, OSError)


def engine_failure(what: str, error: Exception, address: str, code: ReasonCode) -> NotStarted:
    """Say why a call has failed.

    Args:
        what: what could not be done, as the beginning of a sentence.
        error: one of `engine_errors`.
        address: the engine's.
        code: what it is where the engine has refused it.
    """
    from aiodocker import DockerError

    if not isinstance(error, DockerError):
        return engine_lost(address, cause_of(error))
    if (lost := no_answer(error)) is not None:
        return engine_lost(address, lost.cause)
    text = f"{what}: {brief(error.message).removesuffix('.')}."
    if fault_told(error.message) is Fault.DISK_FULL:
        return NotStarted(text, ReasonCode.DISK_FULL, ours=True)
    return NotStarted(text, code)


def engine_lost(address: str, cause: str) -> NotStarted:
    """Say that an engine does not answer, or not any more."""
    return ours(unreachable(address, cause))


def ours(reason: Reason) -> NotStarted:
    """Make of a reason that something of ours has failed."""
    return NotStarted(reason.text, reason.code, ours=True)

"""Why an image could not be built or pushed: whose failure it was, and which one."""

import re
from dataclasses import dataclass
from typing import Final

from lineshaft.docker.words import Fault, fault_told
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.telemetry.cause import brief

# A registry's own words, or what a client says of one of its addresses.
_OF_REGISTRY: Final = re.compile(r'"https?://[^"\s]*/v2/|error pulling image|failed to do request')
_OF_BASE: Final = re.compile(
    r"""manifest\ for\ \S+\ not\ found|manifest\ unknown|pull\ access\ denied|repository\ \S+\ not\ found
    |failed\ to\ resolve\ source\ metadata|no\ match\ for\ platform|no\ basic\ auth\ credentials
    |unexpected\ status\D*\b[45]\d\d
    |pulling\ from\ host\ \S+\ failed|insufficient_scope
    |^\S+:\ not\ found$""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no image.

    Attributes:
        reason: why.
        exit_code: of the instruction that failed, where it was a command.
        ours: whether it is not what the task asked for that failed, but what surrounds it, such as an engine
            that is away or a full disk: then another try may succeed.
    """

    reason: Reason
    exit_code: int | None = None
    ours: bool = False


def engine_trouble(reason: Reason) -> Trouble:
    """Tell of an engine that does not answer."""
    return Trouble(reason, ours=True)


def build_trouble(text: str, exit_code: int | None = None, instruction: str = "") -> Trouble:
    """Find out what has failed a build.

    The text is all that an engine gives. A command that has failed is always told by its exit code, and
    what it printed is not in the text, so that no command can pass for anything else.

    Args:
        text: the engine's words.
        exit_code: of the command that failed, where it was one.
        instruction: of the Dockerfile, where the words do not tell.
    """
    told = brief(f"{instruction}: {text}" if instruction and instruction not in text else text)
    said = f"The image could not be built: {told}"
    if exit_code is not None:
        return Trouble(Reason(ReasonCode.IMAGE_BUILD_FAILED, said), exit_code)
    if fault_told(text) is Fault.DISK_FULL:
        return Trouble(Reason(ReasonCode.DISK_FULL, f"The disk of the engine is full: {told}"), ours=True)
    if _OF_REGISTRY.search(text) or _OF_BASE.search(text):
        return _base_trouble(text, told)
    return Trouble(Reason(ReasonCode.IMAGE_BUILD_FAILED, said))


def _base_trouble(text: str, told: str) -> Trouble:
    match fault_told(text):
        case Fault.AWAY:
            said = f"The registry of the image to build on does not answer: {told}"
            return Trouble(Reason(ReasonCode.REGISTRY_UNREACHABLE, said), ours=True)
        case Fault.DENIED:
            said = f"The image to build on is not there or not for these credentials: {told}"
            return Trouble(Reason(ReasonCode.IMAGE_PULL_DENIED, said))
        case Fault.MISSING:
            return Trouble(Reason(ReasonCode.IMAGE_NOT_FOUND, f"The image to build on is not there: {told}"))
        case _:
            return Trouble(Reason(ReasonCode.IMAGE_BUILD_FAILED, f"The image could not be built: {told}"))


def push_trouble(reference: str, text: str) -> Trouble:
    """Find out what has failed a push.

    Args:
        reference: of the image.
        text: the engine's words.
    """
    told = brief(text)
    match fault_told(text):
        case Fault.DISK_FULL:
            said = f"{reference} could not be pushed, a disk is full: {told}"
            return Trouble(Reason(ReasonCode.DISK_FULL, said), ours=True)
        case Fault.AWAY:
            said = f"{reference} could not be pushed, its registry does not answer: {told}"
            return Trouble(Reason(ReasonCode.REGISTRY_UNREACHABLE, said), ours=True)
        case _:
            return Trouble(Reason(ReasonCode.IMAGE_PUSH_FAILED, f"{reference} could not be pushed: {told}"))

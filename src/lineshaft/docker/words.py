"""What an engine, a builder or a registry says of a failure, sorted by what has failed."""

import re
from enum import Enum, auto
from typing import Final


class Fault(Enum):
    """What has failed."""

    DISK_FULL = auto()
    """There is no room for it."""

    AWAY = auto()
    """A registry does not answer, or not now."""

    DENIED = auto()
    """A registry does not give it to these credentials; some deny what is not there, too."""

    MISSING = auto()
    """It is not there."""


_WORDS: Final = {
    Fault.DISK_FULL: re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE),
    Fault.AWAY: re.compile(
        r"""dial\ tcp|connection\ refused|no\ such\ host|i/o\ timeout|TLS\ handshake|connection\ reset
        |\bEOF\b|x509:|tls:|server\ gave\ HTTP\ response|network\ is\ unreachable|no\ route\ to\ host
        |Client\.Timeout|deadline\ exceeded|Service\ Unavailable|Bad\ Gateway|Gateway\ Time-?out
        |Internal\ Server\ Error|toomanyrequests|Too\ Many\ Requests|unexpected\ status\D+5\d\d""",
        re.IGNORECASE | re.VERBOSE,
    ),
    Fault.DENIED: re.compile(
        r"""denied|unauthorized|no\ basic\ auth\ credentials|authentication\ required|insufficient_scope
        |authorization\ failed|40[13]\ (?:Unauthorized|Forbidden)""",
        re.IGNORECASE | re.VERBOSE,
    ),
    Fault.MISSING: re.compile(
        r"""not\ found|manifest\ unknown|name\ unknown|does\ not\ exist|invalid\ reference
        |no\ matching\ manifest|no\ match\ for\ platform|does\ not\ match\ the\ specified\ platform""",
        re.IGNORECASE | re.VERBOSE,
    ),
}


def fault_told(words: str) -> Fault | None:
    """Find out what has failed.

    Most failures have the same status, so that the words alone tell them apart. Of several faults that they
    might tell of, the one that is least the caller's counts.

    Args:
        words: of the engine, which hold nothing that a task has printed.

    Returns:
        It; None where the words tell of none of these.
    """
    return next((fault for fault, known in _WORDS.items() if known.search(words)), None)

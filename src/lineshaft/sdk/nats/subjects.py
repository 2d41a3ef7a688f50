"""The names of what Lineshaft has at NATS: streams, subjects, headers."""

import re
from typing import Final

EVENTS_STREAM: Final = "LINESHAFT_EVENTS"
"""The stream of what has happened."""

EVENTS: Final = "lineshaft.events"
"""With what the subjects of events begin."""

WORK_STREAM: Final = "LINESHAFT_WORK"
"""The work queue of drivers."""

WORK: Final = "lineshaft.work"
"""With what the subjects of queued work begin."""

DESK: Final = "lineshaft.desk"
"""With what the subjects begin at which drivers call."""

DESK_GROUP: Final = "lineshaft"
"""The queue group of the server processes that answer there."""

MESSAGE_ID_HEADER: Final = "Nats-Msg-Id"
"""By this header JetStream knows a repeat."""

STATUS_HEADER: Final = "Lineshaft-Status"
"""The header of an answer that refuses: what its HTTP status would be."""

OFFSET_HEADER: Final = "Lineshaft-Offset"
"""The header of bytes of a log: where they begin in it."""

ATTEMPT_HEADER: Final = "Lineshaft-Attempt"
"""The header of bytes of a log: of which attempt, as `RUN/NODE/ATTEMPT`."""

ENCODING_HEADER: Final = "Content-Encoding"
"""The header of an answer that would be too long as it is: `gzip`."""

_NO_NAME: Final = "-"


def word_of(name: str) -> str:
    """Spell a name so that it is one word of a subject, and can name a consumer.

    Letters and digits of ASCII, `_` and `-` stand for themselves; any other byte of its UTF-8 is `%` and two
    hexadecimal digits. Different names have different words; no name is `-`, which stands for none.
    """
    if name == _NO_NAME:
        return "%2D"
    spelt = re.sub(rb"[^A-Za-z0-9_-]", lambda found: b"%%%02X" % found[0][0], name.encode(errors="replace"))
    return spelt.decode() or _NO_NAME


def event_subject(kind: str, pipeline: str | None) -> str:
    """Name where an event is published."""
    return f"{EVENTS}.{word_of(kind)}.{_NO_NAME if pipeline is None else word_of(pipeline)}"


def work_subject(driver: str) -> str:
    """Name where work for a driver is announced."""
    return f"{WORK}.{word_of(driver)}"


def desk_subject(driver: str, method: str) -> str:
    """Name where a driver calls."""
    return f"{DESK}.{word_of(driver)}.{method}"


def inbox_prefix(driver: str) -> str:
    """Name below what the answers to a driver come in."""
    return f"_INBOX_{word_of(driver)}"


def name_of(word: str) -> str:
    """Read a name that `word_of` has spelt.

    Raises:
        ValueError: it is no such word.
    """
    if re.fullmatch(r"(?:[A-Za-z0-9_-]|%[0-9A-F]{2})+", word) is None:
        raise ValueError(f"{word!r} is no spelt name")
    spelt = re.sub(r"%([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), word)
    return spelt.encode("latin-1").decode()

"""Which queue an attempt waits in: a canonical key of what it asks for."""

import json
import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from lineshaft.model.placement import LABEL_PATTERN, Demand

LONGEST_KEY: Final = 500
"""How many characters a key has at most; an index entry of PostgreSQL's has room for some 2,700 bytes."""

_LABEL: Final = re.compile(LABEL_PATTERN)
_MOST_MILLICPUS: Final = 2**31 - 1
_MOST_BYTES: Final = 2**48
"""More than any worker has, and little enough that what thousands of attempts ask for can be added up."""


def queue_key(kind: str, labels: Iterable[str], millicpus: int, memory_bytes: int) -> str:
    """Name the queue for all that ask for the same, such as `run gpu,linux 2000m 1073741824`.

    Nobody reads a key, so labels that are odd, or many, are hashed.
    """
    asked = sorted(set(labels))
    amounts = f"{millicpus}m {memory_bytes}"
    key = f"{kind} {','.join(asked)} {amounts}"
    if len(key) <= LONGEST_KEY and all(map(_LABEL.fullmatch, asked)):
        return key
    return f"{kind} #{sha256(json.dumps(asked).encode()).hexdigest()} {amounts}"


def millicpus_of(cpus: float) -> int:
    """Tell how many thousandths of a processor that is: one at least, where it is not nothing."""
    return round(min(max(cpus * 1000, cpus > 0), _MOST_MILLICPUS))


def memory_bytes_of(demand: Demand) -> int:
    """Tell how much memory is asked for, as a number that a database can reckon with."""
    return min(demand.memory_bytes, _MOST_BYTES)


def read_demand(kind: str, labels: str | None, millicpus: int, memory_bytes: int) -> Demand | None:
    """Read what an attempt asks for, with labels as they are stored; None where it makes no sense."""
    try:
        names = json.loads(labels) if labels else ()
        if not all(isinstance(name, str) for name in names):
            return None
        return Demand(kind, tuple(names), millicpus / 1000, memory_bytes)
    except (ValueError, TypeError):
        return None

"""What the programs of a driver call themselves: the same over restarts, and each of them otherwise."""

import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lineshaft.model.errors import InvalidInputError

_LONGEST: Final = 255
_LONGEST_HOST: Final = 140
_MOST_PROGRAMS: Final = 1000


def host_name() -> str:
    """Name this host, in the characters that a worker's name may have."""
    return re.sub(r"[^\w.-]", "-", socket.gethostname())[:_LONGEST_HOST] or "localhost"


def session_name(driver: str, program: str) -> str:
    """Put together the name of a session: the driver's, and the program's.

    Raises:
        InvalidInputError: the program's name has characters that it cannot have, or too many.
    """
    name = f"{driver}@{program}"
    if len(name) > _LONGEST or re.fullmatch(r"[\w.@:/-]+", program) is None:
        raise InvalidInputError(
            f"A program of a driver cannot be named {program!r}: a name is one word of letters, digits and "
            f"`_ . @ : / -`, and at most {_LONGEST} characters long with the driver's."
        )
    return name


@contextmanager
def name_of_program(server: str, drivers: tuple[str, ...]) -> Iterator[str]:
    """Name this program after its host; of several on one host, the second is `HOST:2`, and so on.

    A session that takes the name of another one ends it, so that two programs must not share one. The lowest
    name that is free is taken, and held for as long as this goes on and the program lives: one that is
    started anew after a crash has the name of before, and one that is started while its predecessor still
    drains has another. A name is held by an abstract socket (unix(7)), which is gone with the program and is
    seen in all containers that share the host's network, and so its name. Where the system has none, the
    programs of one host are to be named by hand.

    Args:
        server: the server's address.
        drivers: the names of those that the program serves; other drivers have names of their own.
    """
    host = host_name()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as held:
        for number in range(1, _MOST_PROGRAMS):
            program = host if number == 1 else f"{host}:{number}"
            if _hold(held, f"{server}\n{' '.join(sorted(drivers))}\n{program}"):
                break
        else:
            program = host
        yield program


def _hold(held: socket.socket, what: str) -> bool:
    digest = hashlib.sha256(what.encode()).hexdigest()[:32]
    try:
        held.bind(f"\0lineshaft-driver-{digest}")
    except OSError:
        return False
    return True

"""What the first process of a container says of the command; `first.c` lists the lines."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Begun:
    """The program has been started."""


@dataclass(frozen=True, slots=True)
class NoFolder:
    """The command's folder cannot be entered.

    Attributes:
        number: of the system's error.
    """

    number: int


@dataclass(frozen=True, slots=True)
class NoProgram:
    """The program cannot be started.

    Attributes:
        number: of the system's error.
    """

    number: int


@dataclass(frozen=True, slots=True)
class Exited:
    """The command has exited.

    Attributes:
        code: its exit code.
        memory_kills: how many processes the system has killed because memory had run out.
        asked: whether it had been asked to end before.
    """

    code: int
    memory_kills: int
    asked: bool


@dataclass(frozen=True, slots=True)
class Killed:
    """A signal has ended the command.

    Attributes:
        signal: its number.
        memory_kills: how many processes the system has killed because memory had run out.
        asked: whether it had been asked to end before.
    """

    signal: int
    memory_kills: int
    asked: bool


Report = Begun | NoFolder | NoProgram | Exited | Killed


def read_line(line: bytes) -> Report | None:
    """Read one line, without its end; None where it is none of these."""
    word, *rest = line.split(b" ")
    if not all(number.isdigit() for number in rest):
        return None
    report: Report | None
    match word, [int(number) for number in rest]:
        case b"begun", []:
            report = Begun()
        case b"no-folder", [number]:
            report = NoFolder(number)
        case b"no-program", [number]:
            report = NoProgram(number)
        case b"exited", [code, kills, asked]:
            report = Exited(code, kills, bool(asked))
        case b"killed", [number, kills, asked]:
            report = Killed(number, kills, bool(asked))
        case _:
            report = None
    return report

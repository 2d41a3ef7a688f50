"""Exit codes: stable, one for each class of error; docs/cli.md lists them."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from lineshaft.model.errors import (
    AccessError,
    ConfigurationError,
    ConflictError,
    InvalidInputError,
    LineshaftError,
    NotFoundError,
    UnavailableError,
)
from lineshaft.model.state import State


class ExitCode(IntEnum):
    """What a program tells its caller by its exit code."""

    OK = 0
    RUN_DID_NOT_SUCCEED = 1
    WRONG_USAGE = 2
    INVALID_INPUT = 3
    NOT_FOUND = 4
    CONFLICT = 5
    NO_ACCESS = 6
    UNAVAILABLE = 7
    CONFIGURATION = 8
    INTERNAL = 70
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141

    @classmethod
    def of_error(cls, error: LineshaftError) -> "ExitCode":
        """Name the exit code of an error."""
        return next((code for kind, code in _BY_CLASS.items() if isinstance(error, kind)), cls.INTERNAL)

    @classmethod
    def of_run(cls, state: State) -> "ExitCode":
        """Name the exit code of a run that has ended in this state."""
        return cls.OK if state is State.SUCCEEDED else cls.RUN_DID_NOT_SUCCEED


_BY_CLASS: Final[Mapping[type[LineshaftError], ExitCode]] = {
    InvalidInputError: ExitCode.INVALID_INPUT,
    NotFoundError: ExitCode.NOT_FOUND,
    ConflictError: ExitCode.CONFLICT,
    AccessError: ExitCode.NO_ACCESS,
    UnavailableError: ExitCode.UNAVAILABLE,
    ConfigurationError: ExitCode.CONFIGURATION,
}

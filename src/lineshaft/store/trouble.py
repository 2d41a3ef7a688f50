"""What an error means for those who wait: try again, give up, or pass it on."""

import sqlite3
from enum import Enum, auto
from typing import Final, assert_never

from sqlalchemy.exc import DBAPIError

from lineshaft.model.errors import StoreUnavailableError
from lineshaft.store.driver import DatabaseLostError
from lineshaft.store.pending import RunChangedError
from lineshaft.store.workers import WorkerRegisteredError


class Trouble(Enum):
    """How a transaction failed."""

    NONE = auto()
    """The error is not about the database's health."""
    CONFLICT = auto()
    """Another process was in the way; trying again will help."""
    LOST = auto()
    """The database is away; trying again will help if it comes back."""
    FAILED = auto()
    """The database answers that it cannot."""


_POSTGRES_CONFLICTS: Final = ("40001", "40P01", "55P03", "23505")
"""serialization_failure, deadlock_detected, lock_not_available, and unique_violation: who was quicker has
written the very row. What people may choose twice is never left to a constraint to refuse.
"""

_POSTGRES_AWAY: Final = ("08", "57P", "53300")
"""Connections that broke, a server that stops or starts, too_many_connections."""

_POSTGRES_FAILURES: Final = ("53", "58", "F0", "XX")
"""Insufficient resources, system errors, broken configuration, internal errors."""

_POSTGRES_MISSING: Final = "23503"
"""foreign_key_violation."""

_SQLITE_CONFLICTS: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SQLITE_FAILURES: Final = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)


def trouble_of(error: BaseException) -> Trouble:
    """Classify an error that came out of a transaction."""
    if isinstance(error, (RunChangedError, WorkerRegisteredError)) or is_missing_reference(error):
        return Trouble.CONFLICT
    if isinstance(error, DatabaseLostError):
        return Trouble.LOST
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Trouble.LOST
    said = error.orig if isinstance(error, DBAPIError) else error
    return _of_sqlite(said) if isinstance(said, sqlite3.Error) else _of_postgres(said)


def is_missing_reference(error: BaseException) -> bool:
    """Tell whether a row refers to one that is not there, or is gone while others refer to it.

    What is written is right, so that what it refers to was there a moment ago: retention has removed it
    since, or is about to remove what is now referred to.
    """
    said = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(said, sqlite3.Error):
        return getattr(said, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    return getattr(said, "sqlstate", None) == _POSTGRES_MISSING


def words_of(error: BaseException) -> str:
    """Tell what the database has said, without SQLAlchemy's words around it."""
    return str(error.orig if isinstance(error, DBAPIError) else error)


def unavailable(error: BaseException, trouble: Trouble) -> StoreUnavailableError:
    """Say to a caller that trying has been given up."""
    match trouble:
        case Trouble.CONFLICT:
            message = "Other processes kept writing the same things."
            advice = "Try again in a moment."
        case Trouble.LOST:
            message = f"The database does not answer: {words_of(error)}"
            advice = "See that it runs and can be reached. Servers that have started connect by themselves."
        case Trouble.FAILED | Trouble.NONE:
            message = f"The database cannot go on: {words_of(error)}"
            advice = "See its log, and whether its disk is full."
        case _:
            assert_never(trouble)
    return StoreUnavailableError(message, advice=advice)


def _of_sqlite(error: sqlite3.Error) -> Trouble:
    # The upper bytes only say more about the code in the lowest one (sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    if code in _SQLITE_CONFLICTS:
        return Trouble.CONFLICT
    return Trouble.FAILED if code in _SQLITE_FAILURES else Trouble.NONE


def _of_postgres(error: BaseException | None) -> Trouble:
    code = getattr(error, "sqlstate", None)
    if not isinstance(code, str):
        return Trouble.NONE
    if code in _POSTGRES_CONFLICTS:
        return Trouble.CONFLICT
    if code.startswith(_POSTGRES_AWAY):
        return Trouble.LOST
    return Trouble.FAILED if code.startswith(_POSTGRES_FAILURES) else Trouble.NONE

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lineshaft.model.errors import StoreUnavailableError
from lineshaft.store.trouble import Trouble, is_missing_reference, trouble_of, unavailable


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path)) as opened:
        opened.execute("CREATE TABLE parts (name TEXT UNIQUE, data BLOB)")
        yield opened


def connect(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "parts.db", timeout=0, isolation_level=None)


def test_a_full_disk_is_a_failure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 10")

    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO parts VALUES ('bolt', zeroblob(100000))")

    assert trouble_of(caught.value) is Trouble.FAILED


def test_a_database_that_may_not_be_written_is_a_failure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")

    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO parts VALUES ('bolt', NULL)")

    assert trouble_of(caught.value) is Trouble.FAILED


def test_a_lock_that_another_program_holds_is_a_conflict(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    with closing(connect(tmp_path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as caught:
            connection.execute("BEGIN IMMEDIATE")

    assert trouble_of(caught.value) is Trouble.CONFLICT


def test_a_value_that_breaks_a_rule_is_no_trouble_of_the_databases(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO parts VALUES ('bolt', NULL)")

    with pytest.raises(sqlite3.IntegrityError) as caught:
        connection.execute("INSERT INTO parts VALUES ('bolt', NULL)")

    assert trouble_of(caught.value) is Trouble.NONE


def test_a_row_that_refers_to_what_was_removed_meanwhile_is_a_conflict(
    connection: sqlite3.Connection,
) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE uses (name TEXT REFERENCES parts (name))")

    with pytest.raises(sqlite3.IntegrityError) as caught:
        connection.execute("INSERT INTO uses VALUES ('bolt')")

    assert is_missing_reference(caught.value)
    assert trouble_of(caught.value) is Trouble.CONFLICT


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), StoreUnavailableError(""), KeyError()]
)
def test_errors_of_others_are_no_trouble_of_the_databases(error: Exception) -> None:
    assert trouble_of(error) is Trouble.NONE


@pytest.mark.parametrize("trouble", [Trouble.CONFLICT, Trouble.LOST, Trouble.FAILED])
def test_whoever_is_told_that_trying_has_ended_is_told_what_to_do(trouble: Trouble) -> None:
    assert unavailable(ValueError("no space"), trouble).advice

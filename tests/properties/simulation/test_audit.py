"""The audit sees what it is there to see."""

import sqlite3
from collections.abc import Iterator

import pytest

from lineshaft.model.limits import NO_LIMITS
from simulation.audit import Audit
from simulation.ledger import Ledger


class Scene:
    """A database with a run in it, and an audit that has seen it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.ledger = Ledger(lambda: 0.0)
        self._audit = Audit(self.ledger, lambda _, __: None, NO_LIMITS)
        database.executescript(
            """
            CREATE TABLE runs (id, version, state, event_count, pipeline_id, concurrency_group, ended_at);
            CREATE TABLE events (run_id, number, node, state);
            CREATE TABLE nodes (run_id, node, state, attempt);
            CREATE TABLE attempts (
              run_id, node, attempt, state, token, worker_id, kind, labels, millicpus
            );
            CREATE TABLE timers (run_id, node, purpose);
            CREATE TABLE pipelines (id, name);
            CREATE TABLE workers (id, name, kinds, slots, labels, cpus);
            INSERT INTO pipelines VALUES ('pipeline', 'p');
            INSERT INTO workers VALUES ('worker', 'w', '["run"]', 1, '["gpu"]', 1.0);
            INSERT INTO runs VALUES
              ('00000000000000000000000000000000', 1, 'running', 1, 'pipeline', 'main', NULL);
            INSERT INTO events VALUES ('00000000000000000000000000000000', 1, 0, 'running');
            INSERT INTO nodes VALUES ('00000000000000000000000000000000', 1, 'succeeded', 1);
            INSERT INTO nodes VALUES ('00000000000000000000000000000000', 2, 'running', 1);
            INSERT INTO attempts VALUES
              ('00000000000000000000000000000000', 1, 1, 'succeeded', 'first', 'worker', 'run', NULL, 0);
            INSERT INTO attempts VALUES
              ('00000000000000000000000000000000', 2, 1, 'running', 'second', 'worker', 'run', NULL, 0);
            """
        )
        self._audit.committed(database)

    def commit(self, statement: str, *, version: int = 2) -> str:
        """Change something, and return what the audit finds."""
        self.database.execute(statement)
        self.database.execute("UPDATE runs SET version = ?", (version,))
        self._audit.committed(self.database)
        return "; ".join(self.ledger.findings)


@pytest.fixture
def scene() -> Iterator[Scene]:
    database = sqlite3.connect(":memory:", isolation_level=None)
    yield Scene(database)
    database.close()


def test_what_is_as_it_should_be_is_no_finding(scene: Scene) -> None:
    assert not scene.commit("INSERT INTO nodes VALUES ('x', 3, 'queued', 1)")


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE nodes SET state = 'queued' WHERE node = 1", "node 1 has left its end state succeeded"),
        ("UPDATE nodes SET attempt = 0 WHERE node = 2", "node 2 went from attempt 1 back to 0"),
        ("DELETE FROM nodes WHERE node = 2", "node 2 has vanished"),
        ("UPDATE attempts SET token = 'third' WHERE node = 2", "was given away while it was leased"),
        ("UPDATE attempts SET state = 'lost' WHERE node = 1", "has changed although it had ended"),
        ("INSERT INTO attempts (run_id, node, attempt, state) VALUES ('0', 2, 2, 'queued')", ""),
        (
            "INSERT INTO attempts SELECT run_id, 2, 2, state, 'x', worker_id, kind, NULL, 0 FROM attempts",
            "a node has two living attempts",
        ),
        (
            "INSERT INTO events VALUES ('00000000000000000000000000000000', 3, 1, 'succeeded')",
            "event 2 is missing",
        ),
        ("UPDATE runs SET event_count = 2", "the run counts 2 events and has 1"),
        ("DELETE FROM runs", "a run has vanished"),
        (
            "INSERT INTO runs SELECT '1' || substr(id, 2), 1, state, 0, pipeline_id, 'main', NULL FROM runs",
            "two runs of group 'main' of pipeline pipeline go on together",
        ),
        ("UPDATE workers SET kinds = '[]'", "w holds an attempt that it does not serve"),
        (
            "UPDATE attempts SET labels = '[\"big\"]' WHERE node = 2",
            "w holds an attempt that it does not serve",
        ),
        ("UPDATE workers SET slots = 0", "w holds 1 attempts in 0 slots"),
        ("UPDATE attempts SET millicpus = 1500 WHERE node = 2", "1500 of 1000.0 millicpus"),
        ("DELETE FROM workers", "which is not there"),
    ],
)
def test_a_broken_promise_is_found(scene: Scene, statement: str, finding: str) -> None:
    found = scene.commit(statement)

    assert finding in found
    assert bool(found) is bool(finding)


def test_a_version_that_goes_back_is_found(scene: Scene) -> None:
    assert "the version went from 1 back to 0" in scene.commit("SELECT 1", version=0)


def test_a_run_that_changes_under_its_version_is_found(scene: Scene) -> None:
    assert "its version has not" in scene.commit("UPDATE runs SET state = 'failed'", version=1)


def test_a_run_that_leaves_its_end_is_found(scene: Scene) -> None:
    scene.commit("UPDATE runs SET state = 'failed'")

    assert "the run has left its end state failed" in scene.commit(
        "UPDATE runs SET state = 'queued'", version=3
    )

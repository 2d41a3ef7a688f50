"""Writing test cases, and removing them with their run."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, delete, func, select, update

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import InvalidInputError, StaleLeaseError
from lineshaft.model.state import State
from lineshaft.model.test_case import TestCase
from lineshaft.model.test_report import TestedRun, TestSource
from lineshaft.ports.store.tests import MOST_KEPT_MESSAGES, MOST_TEST_RESULTS
from lineshaft.store.prepared import Prepared
from lineshaft.store.schema import attempts, literal_state, test_chunks, test_history, test_results
from lineshaft.store.session import Session
from lineshaft.store.test_cases.chunk import FAILED, STATES, pack, test_number
from lineshaft.store.upsert import insert_or_keep


def _of_attempt(table: Table) -> Any:
    return and_(
        table.c.run_id == bindparam("of_run"),
        table.c.node == bindparam("of_node"),
        table.c.attempt == bindparam("of_attempt"),
    )


_HOLD_LEASE: Final = (
    select(attempts.c.token)
    .where(_of_attempt(attempts), attempts.c.state == literal_state(State.RUNNING))
    .with_for_update(key_share=True)
)
_INSERT_CHUNK: Final = Prepared(
    insert_or_keep(test_chunks, *test_chunks.primary_key.columns.keys()), *test_chunks.columns.keys()
)
_COUNT_RESULTS: Final = select(func.count()).select_from(test_results).where(_of_attempt(test_results))
_INSERT_RESULT: Final = Prepared(
    insert_or_keep(test_results, *test_results.primary_key.columns.keys()), *test_results.columns.keys()
)
_ADD_COUNTS: Final = Prepared(
    update(test_results)
    .where(_of_attempt(test_results), test_results.c.result == bindparam("of_result"))
    .values(
        {
            name: test_results.c[name] + bindparam(f"more_{name}")
            for name in ("passed", "failed", "error", "skipped", "seconds")
        }
    )
)
_IS_TEST: Final = and_(
    *(column == bindparam(f"of_{column.name}") for column in test_history.primary_key.columns)
)
_INSERT_TEST: Final = Prepared(
    insert_or_keep(test_history, *test_history.primary_key.columns.keys()), *test_history.columns.keys()
)
_WORSEN_TEST: Final = Prepared(
    update(test_history)
    .where(_IS_TEST, test_history.c.state < bindparam("to_state"))
    .values({name: bindparam(f"to_{name}") for name in ("state", "seconds", "result", "number", "position")})
)

SELECT_RUN: Final = (
    select(test_results.c.pipeline_id, test_results.c.run_number)
    .where(test_results.c.run_id == bindparam("of_run"))
    .limit(1)
)
SELECT_HISTORY: Final = (
    select(test_history.c.test, test_history.c.attempt)
    .where(
        test_history.c.pipeline_id == bindparam("of_pipeline_id"),
        test_history.c.run_number == bindparam("of_run_number"),
    )
    .order_by(test_history.c.test, test_history.c.attempt)
    .limit(bindparam("at_most"))
)
_DELETE_TEST: Final = delete(test_history).where(_IS_TEST)


def keep_tests(  # noqa: PLR0917 - as the port has it, and the session.
    session: Session, source: TestSource, token: str, run: TestedRun, number: int, cases: Sequence[TestCase]
) -> bool:
    """Keep test cases, and count them; see `ports.store.Tests.add`."""
    address = source.address
    _hold_lease(session, address, token)
    session.change()
    place = _place(source)
    kept = number < MOST_KEPT_MESSAGES
    data = pack(cases) if kept else b""
    chunk = {**place, "number": number, "data": data}
    if _INSERT_CHUNK.execute(session.connection, chunk) == 0:
        return False
    if number == 0:
        _refuse_many(session, address)
    _count(session, source, run, cases)
    if kept:
        _note_history(session, source, run, number, cases)
    return True


def remove_history(session: Session, run_id: UUID, limit: int) -> int:
    """Remove a part of what a run has told of single tests, and tell how many rows it was."""
    run = session.connection.execute(SELECT_RUN, {"of_run": run_id}).first()
    if run is None or limit <= 0:
        return 0
    of_run = {"of_pipeline_id": run.pipeline_id, "of_run_number": run.run_number}
    rows = session.connection.execute(SELECT_HISTORY, {**of_run, "at_most": limit}).all()
    keys = [{**of_run, "of_test": row.test, "of_attempt": row.attempt} for row in rows]
    if keys:
        session.connection.execute(_DELETE_TEST, keys)
    return len(keys)


def _hold_lease(session: Session, address: AttemptAddress, token: str) -> None:
    session.pending.flush_attempt(address)
    if session.connection.execute(_HOLD_LEASE, _key(address)).scalar_one_or_none() != token:
        raise StaleLeaseError("The attempt is not leased under this token (any more).")


def _refuse_many(session: Session, address: AttemptAddress) -> None:
    if session.connection.execute(_COUNT_RESULTS, _key(address)).scalar_one() >= MOST_TEST_RESULTS:
        raise InvalidInputError(
            f"More than {MOST_TEST_RESULTS} results of one attempt tell of tests.",
            advice="Let one result name more files.",
        )


def _count(session: Session, source: TestSource, run: TestedRun, cases: Sequence[TestCase]) -> None:
    counts = Counter(each.state.value for each in cases)
    seconds = sum(each.seconds or 0.0 for each in cases)
    nothing_yet = {"passed": 0, "failed": 0, "error": 0, "skipped": 0, "seconds": 0.0}
    row = {
        **_place(source),
        "pipeline_id": run.pipeline_id,
        "run_number": run.number,
        "path": source.path,
        "branch": run.branch,
        "commit": run.commit,
        **nothing_yet,
    }
    _INSERT_RESULT.execute(session.connection, row)
    more = {f"more_{state.value}": counts[state.value] for state in STATES}
    values = {**_key(source.address), "of_result": source.result, **more, "more_seconds": seconds}
    _ADD_COUNTS.execute(session.connection, values)


def _note_history(
    session: Session, source: TestSource, run: TestedRun, number: int, cases: Sequence[TestCase]
) -> None:
    """Note how each test ended; of one that is told of several times the worst counts."""
    worst: dict[int, tuple[int, int]] = {}
    for position, case in enumerate(cases):
        test, state = test_number(source.path, case), STATES.index(case.state)
        if test not in worst or worst[test][0] < state:
            worst[test] = state, position
    fixed = {
        "pipeline_id": run.pipeline_id,
        "run_number": run.number,
        "attempt": source.address.attempt,
        "node": source.address.node,
        "result": source.result,
        "number": number,
    }
    # By number, so that servers that write at once take the rows' locks in one order.
    rows: list[dict[str, Any]] = [
        {**fixed, "test": test, "state": state, "seconds": cases[position].seconds, "position": position}
        for test, (state, position) in sorted(worst.items())
    ]
    _INSERT_TEST.execute_many(session.connection, rows)
    _WORSEN_TEST.execute_many(
        session.connection,
        [
            {
                **{f"of_{name}": row[name] for name in test_history.primary_key.columns.keys()},  # noqa: SIM118 # A column collection iterates over columns.
                **{f"to_{name}": row[name] for name in ("state", "seconds", "result", "number", "position")},
            }
            for row in rows
            if row["state"] >= FAILED
        ],
    )


def _place(source: TestSource) -> dict[str, Any]:
    address = source.address
    return {
        "run_id": address.run_id,
        "node": address.node,
        "attempt": address.attempt,
        "result": source.result,
    }


def _key(address: AttemptAddress) -> dict[str, Any]:
    return {"of_run": address.run_id, "of_node": address.node, "of_attempt": address.attempt}

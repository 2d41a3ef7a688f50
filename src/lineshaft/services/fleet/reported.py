"""What a worker reports, checked before a run hears of it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from lineshaft.definition import read_generated
from lineshaft.engine.advance import holds_lease
from lineshaft.engine.outputs import OUTPUTS_LIMIT_BYTES, size_bytes
from lineshaft.model.definition import Definition
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.errors import InvalidInputError, SecretsUnavailableError
from lineshaft.model.event import AttemptReported
from lineshaft.model.node import Group
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT, Tree
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.finding import definition_of, find_run
from lineshaft.services.fleet.leases import generated_path
from lineshaft.services.secrets.wanted import secrets_in, unavailable_reason, why_missing
from lineshaft.wire.worker import Report

OUTPUTS_LIMIT: Final = 1_000
"""How many outputs a task may give."""

RUN_OUTPUTS_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""How long the outputs of all tasks of a run may be; those below a kilobyte are never refused for it."""

_SMALL_BYTES: Final = 1024

GENERATED_LIMIT_BYTES: Final = 1024 * 1024
"""How long the text of generated nodes may be, in UTF-8."""

NODES_LIMIT: Final = 20_000
"""How many nodes a run may have, the generated ones among them."""

_TOLD_PROBLEMS: Final = 3
_TOLD_CHARACTERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class CheckedReport:
    """A report whose outcome keeps to all limits, with the nodes that it brings.

    Attributes:
        report: as it came, but for its outcome.
        generated: the nodes that the task made; None where it made none.
        large_outputs: whether its outputs are worth counting with those of the run.
    """

    report: Report
    generated: Group | None = None
    large_outputs: bool = False

    def event(self, run: Run) -> AttemptReported:
        """Say it as an event of the run as it is now."""
        checked = self
        if self.large_outputs:
            size = sum(size_bytes(values) for values in run.outputs.values())
            if size + _given_bytes(self.report.outcome) > RUN_OUTPUTS_LIMIT_BYTES:
                text = f"The outputs of the run would be longer than {RUN_OUTPUTS_LIMIT_BYTES:,} bytes."
                checked = _refused(self.report, ReasonCode.OUTPUTS_REFUSED, text)
        if self.generated is not None:
            count = len(run.tree) + len(Tree(self.generated)) - 1
            if count > NODES_LIMIT:
                text = f"The run would have {count:,} nodes; {NODES_LIMIT:,} is the limit."
                checked = _refused(self.report, ReasonCode.GENERATED_NODES_REFUSED, text)
        address, report = checked.report.address, checked.report
        return AttemptReported(address.node, address.attempt, report.token, report.outcome, checked.generated)


async def checked_report(store: Store, report: Report, secrets: SecretStore) -> CheckedReport:
    """Hold a report against the limits, and read the nodes that it brings; a refusal becomes its outcome.

    Raises:
        RunNotFoundError: there is no such run.
    """
    if report.outcome.result is not None:
        report = report.model_copy(update={"outcome": _as_driver_says(report.outcome, report.outcome.result)})
    outcome = report.outcome
    refusal = _refusal_of_outputs(outcome)
    if refusal is not None:
        return _refused(report, ReasonCode.OUTPUTS_REFUSED, refusal)
    checked = CheckedReport(report, large_outputs=_given_bytes(outcome) > _SMALL_BYTES)
    if outcome.generated is None or outcome.state is not State.SUCCEEDED:
        return checked
    run_id = report.address.run_id
    run, definition = await store.read(lambda transaction: _run_of(transaction, run_id))
    if not _is_leased(run, report) or generated_path(run, report.address.node) is None:
        return checked  # A repeat, or one that comes too late: the write refuses it.
    if len(outcome.generated.encode(errors="replace")) > GENERATED_LIMIT_BYTES:
        text = f"The file of nodes is longer than {GENERATED_LIMIT_BYTES:,} bytes, which is the limit."
        return _refused(report, ReasonCode.GENERATED_NODES_REFUSED, text)
    try:
        generated = await asyncio.to_thread(
            read_generated,
            outcome.generated,
            definition,
            run.tree,
            run.tree[report.address.node].parent or ROOT,
        )
    except InvalidInputError as error:
        return _refused(report, ReasonCode.GENERATED_NODES_REFUSED, _told(error))
    lacking = await _refusal_of_secrets(run, generated, secrets)
    return replace(checked, generated=generated) if lacking is None else _refused(report, *lacking)


async def _refusal_of_secrets(
    run: Run, generated: Group, secrets: SecretStore
) -> tuple[ReasonCode, str] | None:
    """Say which secrets of nodes that a task made are missing; None where all are there."""
    wanted = secrets_in(run, Tree(generated).places)
    if not wanted:
        return None
    try:
        missing = await secrets.missing(tuple(wanted))
    except SecretsUnavailableError as error:
        reason = unavailable_reason(error)
    else:
        if not missing:
            return None
        reason = await why_missing(secrets, missing)
    return reason.code, reason.text


def _is_leased(run: Run, report: Report) -> bool:
    node, attempt = report.address.node, report.address.attempt
    return 0 < node < len(run.tree) and holds_lease(run.nodes[node], attempt, report.token)


def _run_of(transaction: Transaction, run_id: UUID) -> tuple[Run, Definition]:
    run = find_run(transaction, run_id)
    return run, definition_of(transaction, run)


def _given_bytes(outcome: Outcome) -> int:
    """Tell how long that is which later nodes would find: outputs, and what a driver has answered."""
    answered = {} if outcome.result is None else outcome.result.outputs()
    return size_bytes(outcome.outputs) + size_bytes(answered)


def _as_driver_says(outcome: Outcome, result: DriverResult) -> Outcome:
    """Have state and result of a driver's outcome say the same: a failed result is a failure."""
    if result.success and outcome.state is State.SUCCEEDED:
        return outcome
    result = replace(result, success=False)
    if outcome.state not in (State.SUCCEEDED, State.FAILED):
        return replace(outcome, result=result)
    return replace(outcome, state=State.FAILED, reason=outcome.reason or _failed(result), result=result)


def _failed(result: DriverResult) -> Reason:
    """Say why a driver has failed in its own words, shortened where they are many."""
    message = result.message
    text = message if len(message) <= _TOLD_CHARACTERS else f"{message[:_TOLD_CHARACTERS]}..."
    return Reason(ReasonCode.DRIVER_FAILED, text or "Its driver tells that it has failed.")


def _refusal_of_outputs(outcome: Outcome) -> str | None:
    outputs = outcome.outputs
    if len(outputs) > OUTPUTS_LIMIT:
        return f"The task gives {len(outputs):,} outputs; {OUTPUTS_LIMIT:,} is the limit."
    size = _given_bytes(outcome)
    if size > OUTPUTS_LIMIT_BYTES:
        return f"The task's outputs are {size:,} bytes long; {OUTPUTS_LIMIT_BYTES:,} is the limit."
    return None


def _refused(report: Report, code: ReasonCode, text: str) -> CheckedReport:
    outcome = Outcome(State.FAILED, Reason(code, text), report.outcome.exit_code)
    return CheckedReport(report.model_copy(update={"outcome": outcome}))


def _told(error: InvalidInputError) -> str:
    """Say what is wrong with generated nodes, the first problems one by one."""
    if not error.problems:
        return f"The nodes that it made cannot be read: {error.message}"
    told = [
        f"{problem.field or 'the text'} {problem.message}"
        + ("" if problem.line is None else f" (line {problem.line})")
        for problem in error.problems[:_TOLD_PROBLEMS]
    ]
    more = len(error.problems) - len(told)
    rest = f"; and {more} more" if more else ""
    return f"The nodes that it made cannot be read: {'; '.join(told)}{rest}."

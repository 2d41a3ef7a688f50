"""Approvals: somebody looks at what a run would do, and lets it begin."""

from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import NotWaitingError
from lineshaft.model.principal import Actor
from lineshaft.model.run import Run
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.finding import find_run
from lineshaft.services.progress import Progress, Started
from lineshaft.telemetry.run_log import log_decisions, log_superseding


class ApprovalService:
    """The use case of approving what is held."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, progress: Progress) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._progress = progress

    async def approve(self, run_id: UUID, commit: str, by: Actor) -> Run:
        """Let a held run begin.

        Args:
            run_id: which run.
            commit: what has been looked at: the full id of the pull request's head, or of the commit that the
                run works on where it is for no pull request.
            by: the user who approves.

        Returns:
            The run as it is then.

        Raises:
            RunNotFoundError: there is no such run.
            NotWaitingError: it is not held, or its commit is another one.
        """

        def work(transaction: Transaction) -> Started:
            run = find_run(transaction, run_id)
            _check(run, commit)
            now = self._clock.now()
            started = self._progress.approve(transaction, run_id, by.name, now)
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=by,
                action=Action.RUN_APPROVED,
                target=run_id,
                pipeline_id=run.pipeline_id,
                pipeline=run.tree.root.name,
                number=run.number,
                commit=commit,
            )
            return started

        started = await self._store.write(work)
        for earlier in started.superseded:
            log_superseding(earlier)
        log_decisions(started.decisions)
        return started.run


def _check(run: Run, commit: str) -> None:
    """See whether a run waits for the approval of a commit.

    Raises:
        NotWaitingError: it does not.
    """
    if run.state.ended:
        raise NotWaitingError(
            f"Run {run.number} has ended: it {run.state.value}.",
            advice="Retry it, and approve the run that repeats it.",
        )
    if not run.held:
        told = f"{run.approved_by} has approved it" if run.approved_by else "it was never held"
        raise NotWaitingError(
            f"Run {run.number} does not wait for approval: {told}.",
            advice="There is nothing left to approve.",
        )
    if commit != run.approvable_commit:
        raise NotWaitingError(
            f"Run {run.number} is for another commit: {run.approvable_commit}.",
            advice="Look at what that one changes, and approve it by its id.",
        )

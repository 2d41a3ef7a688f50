"""Claiming: attempts taken from the queue for a worker, as leases with all that they need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from lineshaft.engine.advance import holds_lease
from lineshaft.engine.decision import Decision
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import CorruptRunError, ExpressionError
from lineshaft.model.event import AttemptLeased, AttemptLost
from lineshaft.model.limits import Limits
from lineshaft.model.node import Task
from lineshaft.model.run import Lease, Run
from lineshaft.model.worker import Worker
from lineshaft.ports.clock import Clock
from lineshaft.ports.store import Claim, Transaction
from lineshaft.services.bad_runs import Current
from lineshaft.services.finding import find_run
from lineshaft.services.fleet.leases import lease_message, unrendered
from lineshaft.services.progress import Progress
from lineshaft.wire.worker import LeaseMessage


@dataclass(frozen=True, slots=True)
class Taken:
    """What one claim brought.

    Attributes:
        worker: who has claimed.
        leases: what it has taken, oldest first.
        decisions: what was written, in order.
        audiences: of the leases that ask for identity tokens, whom each token is for, by its variable.
        untrusted: those of the leases whose runs work on changes that are not trusted.
    """

    worker: Worker
    leases: list[LeaseMessage] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    audiences: dict[AttemptAddress, Mapping[str, str]] = field(default_factory=dict)
    untrusted: set[AttemptAddress] = field(default_factory=set)


class Claiming:
    """Takes attempts from the queue, within a transaction.

    A worker that has heard no answer to a claim makes it again with the same token, and gets what the first
    one took. Only leases that live and that its own session holds are given again, so that none comes back
    from the dead: a token whose leases have all ended is as good as a new one, because the attempts that are
    leased under it now have addresses that were never leased before.
    """

    def __init__(self, clock: Clock, progress: Progress, lease_time: timedelta, limits: Limits) -> None:
        self._clock = clock
        self._progress = progress
        self._lease_time = lease_time
        self._limits = limits

    def take_once(
        self, transaction: Transaction, current: Current, worker: Worker, slots: int, token: str
    ) -> Taken:
        """Give a worker again what it holds under a token; where that is nothing, lease it something new."""
        given = Taken(worker)
        if transaction.attempts.held_by(worker.id, token):
            self._give_again(transaction, current, token, given)
        if given.leases or worker.draining or slots < 1:
            return given
        taken = self.take(transaction, current, worker, slots, token)
        return replace(taken, decisions=given.decisions + taken.decisions)

    def take(
        self, transaction: Transaction, current: Current, worker: Worker, slots: int, token: str
    ) -> Taken:
        """Lease what a worker can serve, up to so many attempts; nothing to one that drains."""
        now = self._clock.now()
        taken = Taken(worker)
        while not worker.draining:
            room = slots - len(taken.leases)
            claim = Claim(worker, room, token, now, now + self._lease_time, self._limits)
            addresses = transaction.attempts.claim(claim)
            if self._lease_all(transaction, current, addresses, Lease(token, worker.id), taken):
                break
            # What failed has made room, and there may be more in the queue.
        return taken

    def _give_again(self, transaction: Transaction, current: Current, token: str, given: Taken) -> None:
        """Give out leases a second time; their time begins anew."""
        expires_at = self._clock.now() + self._lease_time
        for each in transaction.attempts.renew(given.worker.id, frozenset({token}), expires_at=expires_at):
            with current.at(each.address):
                run = find_run(transaction, each.address.run_id)
                self._give(transaction, run, each.address, token, given)

    def _lease_all(
        self,
        transaction: Transaction,
        current: Current,
        addresses: Sequence[AttemptAddress],
        lease: Lease,
        taken: Taken,
    ) -> bool:
        before = len(taken.leases)
        for address in addresses:
            with current.at(address):
                self._lease(transaction, address, lease, taken)
        return len(taken.leases) - before == len(addresses)

    def _lease(self, transaction: Transaction, address: AttemptAddress, lease: Lease, taken: Taken) -> None:
        """Give out a lease, or end an attempt that cannot begin."""
        now = self._clock.now()
        event = AttemptLeased(address.node, address.attempt, lease)
        decisions = self._progress.apply(transaction, address.run_id, event, now)
        taken.decisions.extend(decisions)
        run = find_run(transaction, address.run_id)
        if not decisions:
            # It was set aside while a worker held it, and must not begin a second time.
            lost = AttemptLost(address.node, address.attempt, _token_of_holder(run, address))
            taken.decisions.extend(self._progress.apply(transaction, run.id, lost, now))
            return
        self._give(transaction, run, address, lease.token, taken)

    def _give(
        self, transaction: Transaction, run: Run, address: AttemptAddress, token: str, taken: Taken
    ) -> None:
        """Tell a worker what it has leased, or end an attempt that cannot begin."""
        if not _is_leased(run, address, token):
            return
        try:
            taken.leases.append(lease_message(run, address, token))
        except ExpressionError as error:
            failure = unrendered(address, token, error)
            taken.decisions.extend(self._progress.apply(transaction, run.id, failure, self._clock.now()))
            return
        if run.untrusted:
            taken.untrusted.add(address)
        node = run.tree[address.node].node
        if isinstance(node, Task) and node.surroundings.id_tokens:
            taken.audiences[address] = node.surroundings.id_tokens


def _token_of_holder(run: Run, address: AttemptAddress) -> str:
    """Tell by which lease a run takes an attempt for running."""
    node = run.nodes[address.node] if address.node < len(run.nodes) else None
    if node is None or node.lease is None or not holds_lease(node, address.attempt, node.lease.token):
        raise CorruptRunError(run.id, "the queue holds an attempt that it does not wait for")
    return node.lease.token


def _is_leased(run: Run, address: AttemptAddress, token: str) -> bool:
    """Tell whether a run takes an attempt for running under a lease."""
    return address.node < len(run.nodes) and holds_lease(run.nodes[address.node], address.attempt, token)

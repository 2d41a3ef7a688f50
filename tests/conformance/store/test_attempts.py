import asyncio
from collections.abc import Callable
from datetime import timedelta

from definitions import definition, wide
from lineshaft.model.attempt import AttemptAddress, LeasedAttempt
from lineshaft.model.event import AttemptLost, CancelRequested, RunStarted
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.store import Transaction
from scene import ALL_KINDS, LEASE_TIME, Held, Scene
from trees import parallel, sequence, task

THREE = wide(3)
CANCEL = CancelRequested(Reason(ReasonCode.CANCELLED_BY_USER, "A user cancelled the run."))


async def test_an_empty_queue_gives_nothing(scene: Scene) -> None:
    assert await scene.claim() == []


async def test_what_waits_in_the_queue_is_claimed_oldest_first(scene: Scene) -> None:
    pipeline = await scene.pipeline(THREE)
    later = await scene.waiting_run(pipeline)
    first = await scene.apply((await scene.waiting_run(pipeline)).id, RunStarted())
    scene.clock.advance(timedelta(seconds=1))
    second = await scene.apply(later.id, RunStarted())

    claimed = [held.address for held in await scene.claim(4)]

    assert claimed == [
        AttemptAddress(first.id, 1, 1),
        AttemptAddress(first.id, 2, 1),
        AttemptAddress(first.id, 3, 1),
        AttemptAddress(second.id, 1, 1),
    ]


async def test_no_attempt_is_claimed_twice(scene: Scene) -> None:
    await scene.run(wide(20))

    claims = await asyncio.gather(*(scene.claim(3) for _ in range(10)))

    addresses = [held.address for claim in claims for held in claim]
    assert len(addresses) == len(set(addresses)) == 20
    assert await scene.claim() == []


async def test_a_claim_takes_no_more_than_its_limit(scene: Scene) -> None:
    await scene.run(THREE)

    assert len(await scene.claim(2)) == 2
    assert await scene.claim(0) == []
    assert len(await scene.claim(2)) == 1


async def test_only_attempts_of_the_kinds_served_are_claimed(scene: Scene) -> None:
    run = await scene.run(
        definition(
            parallel(
                task("deploy", WorkKind.DEPLOY),
                task("build", WorkKind.BUILD),
                task("run", WorkKind.RUN),
                name="mixed",
            )
        )
    )

    assert await scene.claim(9, frozenset()) == []
    two = await scene.claim(9, frozenset({WorkKind.BUILD, WorkKind.RUN}))
    one = await scene.claim(9, ALL_KINDS)

    assert sorted(held.address.node for held in two) == [2, 3]
    assert [held.address for held in one] == [AttemptAddress(run.id, 1, 1)]


async def test_an_attempt_is_claimed_in_the_transaction_that_queued_it(scene: Scene) -> None:
    pipeline = await scene.pipeline(THREE)

    def work(transaction: Transaction) -> list[Held]:
        run = scene.create(transaction, pipeline)
        scene.decide(transaction, run.id, RunStarted())
        return scene.claiming(1)(transaction)

    (held,) = await scene.store.write(work)

    assert held.address.node == 1
    assert [found.address for found in await scene.look(held_by(scene))] == [held.address]


async def test_a_cancelled_attempt_is_claimed_no_more(scene: Scene) -> None:
    run = await scene.run(THREE)
    await scene.apply(run.id, CANCEL)

    assert await scene.claim(9) == []


async def test_the_retry_of_a_lost_attempt_is_claimed_as_the_second(scene: Scene) -> None:
    run = await scene.run(definition(sequence(task("only"), name="one")))
    (held,) = await scene.claim()
    await scene.apply(run.id, AttemptLost(1, 1, held.token))

    (again,) = await scene.claim()

    assert again.address == AttemptAddress(run.id, 1, 2)


async def test_held_by_lists_a_workers_living_leases(scene: Scene) -> None:
    await scene.run(THREE)
    first, second = await scene.claim(2)
    stranger = Scene(scene.store)
    (theirs,) = await stranger.claim()
    await scene.report(first)

    assert await scene.look(held_by(scene)) == [leased(second, scene)]
    assert await scene.look(held_by(stranger)) == [leased(theirs, stranger)]


async def test_held_by_lists_those_leases_that_carry_a_token(scene: Scene) -> None:
    await scene.run(THREE)
    (first,) = await scene.claim()
    await scene.claim()

    def under(token: str) -> Callable[[Transaction], list[LeasedAttempt]]:
        return lambda transaction: list(transaction.attempts.held_by(scene.worker_id, token))

    assert await scene.look(under(first.token)) == [leased(first, scene)]
    assert await scene.look(under("of nobody")) == []


async def test_a_lease_says_when_its_attempt_is_to_stop(scene: Scene) -> None:
    run = await scene.run(THREE)
    (held,) = await scene.claim()
    await scene.apply(run.id, CANCEL)

    assert await scene.look(held_by(scene)) == [leased(held, scene, stopping=True)]


async def test_leases_expire_at_their_time(scene: Scene) -> None:
    await scene.run(THREE)
    (first,) = await scene.claim()
    scene.clock.advance(LEASE_TIME / 2)
    (second,) = await scene.claim()
    scene.clock.advance(LEASE_TIME / 2 - timedelta(microseconds=1))

    assert await expired(scene) == []
    scene.clock.advance(timedelta(microseconds=1))
    assert await expired(scene) == [leased(first, scene)]
    scene.clock.advance(LEASE_TIME)
    assert await expired(scene) == [leased(first, scene), leased(second, scene)]
    assert len(await expired(scene, 1)) == 1


async def test_an_ended_attempts_lease_does_not_expire(scene: Scene) -> None:
    await scene.run(THREE)
    (held,) = await scene.claim()
    await scene.report(held)
    scene.clock.advance(2 * LEASE_TIME)

    assert await expired(scene) == []


async def test_renewing_prolongs_the_leases_that_are_named(scene: Scene) -> None:
    await scene.run(THREE)
    (first,), (second,) = await scene.claim(), await scene.claim()
    scene.clock.advance(LEASE_TIME / 2)

    renewed = await renew(scene, first.token, "no such token")
    scene.clock.advance(LEASE_TIME / 2)

    assert renewed == [leased(first, scene)]
    assert await expired(scene) == [leased(second, scene)]


async def test_a_claims_token_renews_all_that_it_took(scene: Scene) -> None:
    await scene.run(THREE)
    held = await scene.claim(3)

    assert await renew(scene, held[0].token) == [leased(each, scene) for each in held]


async def test_a_renewal_leaves_out_what_it_is_told_to(scene: Scene) -> None:
    await scene.run(THREE)
    left_out, *others = await scene.claim(3)
    scene.clock.advance(LEASE_TIME / 2)

    renewed = await renew(scene, left_out.token, but=frozenset({left_out.address}))
    scene.clock.advance(LEASE_TIME / 2)

    assert renewed == [leased(each, scene) for each in others]
    assert await expired(scene) == [leased(left_out, scene)]


async def test_a_renewal_may_leave_out_everything(scene: Scene) -> None:
    await scene.run(THREE)
    (held,) = await scene.claim()

    assert await renew(scene, held.token, but=frozenset({held.address})) == []


async def test_an_ended_attempts_lease_cannot_be_renewed(scene: Scene) -> None:
    await scene.run(THREE)
    (held,) = await scene.claim()
    await scene.report(held, State.FAILED)

    assert await renew(scene, held.token) == []


async def test_a_workers_lease_cannot_be_renewed_by_another(scene: Scene) -> None:
    await scene.run(THREE)
    (held,) = await scene.claim()

    assert await renew(Scene(scene.store), held.token) == []


async def test_renewing_nothing_is_nothing(scene: Scene) -> None:
    assert await renew(scene) == []


async def test_a_renewal_tells_which_attempts_are_to_stop(scene: Scene) -> None:
    run = await scene.run(THREE)
    (held,) = await scene.claim()
    await scene.apply(run.id, CANCEL)

    assert await renew(scene, held.token) == [leased(held, scene, stopping=True)]


def held_by(scene: Scene) -> Callable[[Transaction], list[LeasedAttempt]]:
    return lambda transaction: list(transaction.attempts.held_by(scene.worker_id))


def leased(held: Held, scene: Scene, *, stopping: bool = False) -> LeasedAttempt:
    return LeasedAttempt(held.address, held.token, scene.worker_id, stopping)


async def renew(
    scene: Scene, *tokens: str, but: frozenset[AttemptAddress] = frozenset()
) -> list[LeasedAttempt]:
    expires_at = scene.clock.now() + LEASE_TIME

    def work(transaction: Transaction) -> list[LeasedAttempt]:
        attempts = transaction.attempts
        return list(attempts.renew(scene.worker_id, frozenset(tokens), expires_at=expires_at, but=but))

    return await scene.store.write(work)


async def expired(scene: Scene, limit: int = 9) -> list[LeasedAttempt]:
    return list(await scene.look(lambda transaction: transaction.attempts.expired(scene.clock.now(), limit)))

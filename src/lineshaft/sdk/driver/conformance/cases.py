"""The promises that every driver makes, a case each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from lineshaft.model.state import State
from lineshaft.sdk.driver.conformance.kinds import CHECKED_BUILT_IN, LINES, Behaviour, line
from lineshaft.sdk.driver.conformance.played_server import Attempt
from lineshaft.sdk.driver.conformance.stage import VALUE, BrokenPromiseError, Stage

_STOPS_WITHIN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Case:
    """A promise.

    Attributes:
        name: stable, for programs.
        sentence: says the promise to people.
        play: has the driver keep it, or raises BrokenPromiseError.
    """

    name: str
    sentence: str
    play: Callable[[Stage], Awaitable[None]]


async def _registers(stage: Stage) -> None:
    await stage.registered()
    hello = stage.server.hellos[0]
    foreign = {each.name for each in hello.drivers} - hello.kinds
    _must(not foreign, f"It says of {', '.join(sorted(foreign))} what it is, and does not serve it.")
    _must(stage.kind in hello.kinds, f"It does not serve {stage.kind}.")
    missing = hello.kinds - CHECKED_BUILT_IN - {"build", "deploy", *(each.name for each in hello.drivers)}
    _must(not missing, f"It does not say in `drivers` what {', '.join(sorted(missing))} is.")


async def _registers_again_after_no_answer(stage: Stage) -> None:
    await stage.registered()
    _must(len(stage.server.hellos) == 1, "It registered twice although its first call was refused.")


async def _claims(stage: Stage) -> None:
    await stage.registered()
    await stage.expect(lambda: bool(stage.server.claims), "it did not claim")
    claim = stage.server.claims[0]
    _must(claim.token is not None, "It claims without a token, so that a claim must not be repeated.")
    _must(claim.slots >= 1, "Its first claim asks for nothing.")


async def _succeeds(stage: Stage) -> None:
    attempt = await stage.reported(await stage.give(Behaviour.SUCCEED))
    _must_be(attempt, State.SUCCEEDED)
    if stage.kind in CHECKED_BUILT_IN or attempt.outcome is None:
        return
    result = attempt.outcome.result
    if result is None:
        raise BrokenPromiseError("Its report has no `result` in its outcome.")
    _must(result.success, "Its report says `succeeded`, and its result that it has failed.")
    _must(result.data.get("value") == VALUE, f"Its data do not give back the input: {{'value': '{VALUE}'}}.")


async def _fails(stage: Stage) -> None:
    attempt = await stage.reported(await stage.give(Behaviour.FAIL))
    _must_be(attempt, State.FAILED)
    outcome = attempt.outcome
    _must(outcome is not None and outcome.reason is not None, "Its report of a failure has no `reason`.")
    if stage.kind not in CHECKED_BUILT_IN and outcome is not None:
        _must(
            outcome.result is not None and not outcome.result.success,
            "Its report of a failure has no `result` that says so.",
        )


async def _does_one_task_after_another(stage: Stage) -> None:
    for _ in range(3):
        _must_be(await stage.reported(await stage.give(Behaviour.SUCCEED)), State.SUCCEEDED)


async def _claims_again_with_the_same_token(stage: Stage) -> None:
    stage.server.calls.lost["claim"] = 1
    attempt = await stage.give(Behaviour.SUCCEED)
    _must_be(await stage.reported(attempt), State.SUCCEEDED)


async def _reports_again(stage: Stage) -> None:
    stage.server.calls.faults["report"] = 1
    _must_be(await stage.reported(await stage.give(Behaviour.SUCCEED)), State.SUCCEEDED)
    stage.server.calls.lost["report"] = 1
    _must_be(await stage.reported(await stage.give(Behaviour.SUCCEED)), State.SUCCEEDED)
    _must_be(await stage.reported(await stage.give(Behaviour.SUCCEED)), State.SUCCEEDED)


async def _logs(stage: Stage) -> None:
    _must_have_logged(await stage.reported(await stage.give(Behaviour.LOG)))


async def _logs_on_after_a_fault(stage: Stage) -> None:
    stage.server.calls.faults["log"] = 2
    _must_have_logged(await stage.reported(await stage.give(Behaviour.LOG)))


async def _logs_on_after_a_lost_answer(stage: Stage) -> None:
    stage.server.calls.lost["log"] = 1
    _must_have_logged(await stage.reported(await stage.give(Behaviour.LOG)))


async def _masks(stage: Stage) -> None:
    secret = line(LINES - 1)
    attempt = await stage.reported(await stage.give(Behaviour.LOG, {"SECRET": secret}))
    _must_be(attempt, State.SUCCEEDED)
    lines = attempt.log.decode(errors="replace").splitlines()
    _must(secret not in lines, f"Its log shows the secret {secret!r} that the task was given.")
    _must(line(LINES) in lines, "Its log does not show what is no secret.")


async def _keeps_its_lease(stage: Stage) -> None:
    attempt = await stage.give(Behaviour.WAIT)
    await stage.waits(attempt)
    for _ in range(3):
        so_far = attempt.heartbeats
        lives = stage.plan.lease_seconds
        await stage.expect(
            lambda so_far=so_far: attempt.heartbeats > so_far,  # type: ignore[misc]
            "no heartbeat named the token of a lease that it holds, which would be dead by now",
            lives,
        )
    stage.until.touch()
    _must_be(await stage.reported(attempt), State.SUCCEEDED)


async def _stops(stage: Stage) -> None:
    attempt = await stage.give(Behaviour.WAIT)
    await stage.waits(attempt)
    attempt.stop = True
    stage.server.change()
    await stage.expect(
        lambda: attempt.outcome is not None,
        "it did not report what it was told to stop",
        max(_STOPS_WITHIN_SECONDS, stage.plan.patience_seconds),
    )
    _must_be(attempt, State.CANCELLED)


async def _drops_what_is_stale(stage: Stage) -> None:
    attempt = await stage.give(Behaviour.WAIT)
    await stage.waits(attempt)
    attempt.dead = True
    stage.server.change()
    stage.until.touch()
    _must_be(await stage.reported(await stage.give(Behaviour.SUCCEED)), State.SUCCEEDED)


async def _begins_another_session(stage: Stage) -> None:
    await stage.registered()
    stage.server.session = None
    stage.server.change()
    await stage.expect(lambda: stage.server.session is not None, "it did not register again")
    _must_be(await stage.reported(await stage.give(Behaviour.SUCCEED)), State.SUCCEEDED)


async def _drains_on_sigterm(stage: Stage) -> None:
    attempt = await stage.give(Behaviour.WAIT)
    await stage.waits(attempt)
    stage.tell_to_end()
    stage.until.touch()
    await stage.reported(attempt)
    _must_be(attempt, State.SUCCEEDED)
    await stage.ended()


async def _ends_when_it_is_idle(stage: Stage) -> None:
    await stage.registered()
    await stage.expect(lambda: bool(stage.server.claims), "it did not claim")
    stage.tell_to_end()
    await stage.ended()


async def _drains_when_told(stage: Stage) -> None:
    attempt = await stage.give(Behaviour.WAIT)
    await stage.waits(attempt)
    stage.server.drain = True
    stage.server.change()
    stage.until.touch()
    await stage.reported(attempt)
    await stage.ended()


def _must(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise BrokenPromiseError(otherwise)


def _must_be(attempt: Attempt, state: State) -> None:
    outcome = attempt.outcome
    if outcome is not None and outcome.state is not state:
        why = "" if outcome.reason is None else f" ({outcome.reason.text})"
        raise BrokenPromiseError(
            f"It reported '{attempt.lease.path}' as `{outcome.state}`{why}, and not as `{state}`."
        )


def _must_have_logged(attempt: Attempt) -> None:
    _must_be(attempt, State.SUCCEEDED)
    lines = attempt.log.decode(errors="replace").splitlines()
    expected = [line(number) for number in range(1, LINES + 1)]
    if lines == expected:
        return
    at = next((i for i, pair in enumerate(zip(lines, expected, strict=False)) if pair[0] != pair[1]), None)
    where = f"has {len(lines):,} lines" if at is None else f"has {lines[at][:80]!r} as line {at + 1:,}"
    raise BrokenPromiseError(
        f"When it reported, its log {where}; it is to have {LINES:,}, from 'line 1' to 'line {LINES}'."
    )


def _failing_first(kind: str, play: Callable[[Stage], Awaitable[None]]) -> Callable[[Stage], Awaitable[None]]:
    async def played(stage: Stage) -> None:
        stage.server.calls.faults[kind] = 1
        await play(stage)

    return played


CASES: Final = (
    Case("registers", "It registers with its name and what it serves.", _registers),
    Case(
        "registers_until_answered",
        "It registers again when the server is away at its start.",
        _failing_first("register", _registers_again_after_no_answer),
    ),
    Case("claims", "It claims with a token of its own making.", _claims),
    Case("succeeds", "It reports a success, with the data that belong to it.", _succeeds),
    Case("fails", "It reports a failure, with a reason.", _fails),
    Case("goes_on", "It does one task after another.", _does_one_task_after_another),
    Case(
        "claims_what_was_lost",
        "It claims again with the same token when a claim's answer is lost, and does what that brings.",
        _claims_again_with_the_same_token,
    ),
    Case(
        "reports_until_answered",
        "It reports again when a report is not answered, and goes on.",
        _reports_again,
    ),
    Case("logs", "It appends to the log in order, and all of it before it reports.", _logs),
    Case("logs_on", "It appends again what was refused for the moment.", _logs_on_after_a_fault),
    Case("logs_once", "It appends nothing twice when an answer is lost.", _logs_on_after_a_lost_answer),
    Case("masks", "It masks the secrets of a task in its log.", _masks),
    Case("keeps_its_lease", "It sends heartbeats while it works.", _keeps_its_lease),
    Case("stops", "It stops a task within 30 seconds of being told.", _stops),
    Case("drops", "It drops a task whose lease is dead, and goes on.", _drops_what_is_stale),
    Case("registers_again", "It registers again when the server has forgotten it.", _begins_another_session),
    Case("drains", "On SIGTERM it does what it has in hand to its end, and ends with 0.", _drains_on_sigterm),
    Case("ends", "On SIGTERM it ends with 0 when it has nothing in hand.", _ends_when_it_is_idle),
    Case("drains_when_told", "It ends with 0 when the server tells it to drain.", _drains_when_told),
)
"""All promises, in the order in which a driver is best made to keep them."""

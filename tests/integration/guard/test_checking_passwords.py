"""How passwords are checked: slowly where many guess, and of users as they are at that moment."""

import asyncio
from dataclasses import dataclass, field

import pytest

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import BadCredentialsError
from lineshaft.model.principal import Means
from lineshaft.model.role import Role
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import AuditFilter
from lineshaft.services.access.authentication import Authentication
from lineshaft.services.access.credentials import CredentialService
from lineshaft.services.access.known_callers import KnownCallers
from lineshaft.services.access.noting import MOST_REFUSALS, Noting
from lineshaft.services.access.wrong_credentials import WrongCredentials
from lineshaft.services.control_plane import ControlPlane
from people import People

HERE = "192.0.2.1"
PASSWORD = "correct horse"


@dataclass
class Pauses:
    """Waits for nothing, and remembers for how long it would have."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        """Remember how long it would have waited."""
        self.seconds.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
async def checking(plane: ControlPlane, clock: ManualClock, pauses: Pauses) -> Authentication:
    noting = Noting(plane.store, clock, RandomIds())
    callers = KnownCallers(plane.store, clock, noting)
    wrong = WrongCredentials(clock)
    passwords = CredentialService(plane.store, clock, callers, wrong, noting, pause=pauses)
    return Authentication(passwords, callers, wrong, noting)


async def refused(checking: Authentication, name: str, address: str) -> None:
    with pytest.raises(BadCredentialsError):
        await checking.by_password(name, "wrong horse", address)


async def test_many_who_guess_at_one_name_from_everywhere_slow_its_checks_and_keep_nobody_out(
    people: People, checking: Authentication, pauses: Pauses
) -> None:
    await people.user("ann", Role.VIEWER)
    await people.user("bob", Role.VIEWER)
    for number in range(40):
        await refused(checking, "ann", f"192.0.2.{number}")
    slowed = list(pauses.seconds)

    await checking.by_password("ann", PASSWORD, "198.51.100.7")
    assert len(pauses.seconds) == len(slowed) + 1
    await checking.by_password("ann", PASSWORD, "198.51.100.7")
    await checking.by_password("bob", PASSWORD, "198.51.100.7")

    assert len(pauses.seconds) == len(slowed) + 1
    assert slowed == sorted(slowed)
    assert len(slowed) == 19
    assert 0 < pauses.seconds[-1] <= 2


async def test_a_user_who_is_changed_while_they_are_looked_up_is_looked_up_anew(
    people: People, checking: Authentication
) -> None:
    await people.user("ann", Role.VIEWER)
    _, secret = await people.token("ann")
    first = asyncio.create_task(checking.by_token(secret.encode(), HERE))
    await asyncio.sleep(0)

    await people.user("ann", Role.ADMIN)
    checking.forget()

    principal, _ = await checking.by_token(secret.encode(), HERE)
    assert principal.roles.everywhere is Role.ADMIN
    await first
    again, _ = await checking.by_token(secret.encode(), HERE)
    assert again.roles.everywhere is Role.ADMIN


async def test_who_goes_away_while_they_are_looked_up_holds_up_nobody_else(
    people: People, checking: Authentication
) -> None:
    await people.user("ann", Role.VIEWER)
    _, secret = await people.token("ann")
    first = asyncio.create_task(checking.by_token(secret.encode(), HERE))
    second = asyncio.create_task(checking.by_token(secret.encode(), HERE))
    await asyncio.sleep(0)
    first.cancel()

    principal, _ = await second

    assert principal.name == "ann"
    assert first.cancelled()


async def test_a_disabled_user_is_refused_at_the_same_cost_as_a_wrong_password(
    people: People, checking: Authentication
) -> None:
    await people.user("ann", Role.VIEWER, disabled=True)

    with pytest.raises(BadCredentialsError):
        await checking.by_password("ann", PASSWORD, HERE)


async def test_what_strangers_leave_behind_is_bounded(
    plane: ControlPlane, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    noting = Noting(plane.store, clock, RandomIds())
    for number in range(MOST_REFUSALS + 20):
        noting.refused(f"user {number}", Means.PASSWORD, HERE)

    await noting.write()
    await noting.write()

    of = AuditFilter(action=Action.SIGN_IN_REFUSED)
    entries = await plane.store.read(lambda transaction: transaction.audit.page(of, before=None, limit=1_000))
    assert len(entries) == MOST_REFUSALS
    assert "20 more refused sign-ins were not recorded." in caplog.text

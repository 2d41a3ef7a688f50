"""How wrong credentials are counted, and who has to wait because of them."""

from datetime import timedelta

import pytest

from lineshaft.model.errors import TooManyAttemptsError
from lineshaft.ports.clock import ManualClock
from lineshaft.services.access.wrong_credentials import LONGEST_DELAY, LONGEST_WAIT, WrongCredentials

HERE = "192.0.2.1"
ELSEWHERE = "198.51.100.7"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def wrong(clock: ManualClock) -> WrongCredentials:
    return WrongCredentials(clock)


def wait(wrong: WrongCredentials, address: str, name: str | None = None) -> float:
    """Tell how many seconds an address has to wait."""
    try:
        wrong.refuse_guessing(address, name)
    except TooManyAttemptsError as error:
        return error.retry_after.total_seconds()
    return 0


def guess(wrong: WrongCredentials, times: int, address: str = HERE, name: str | None = "ann") -> None:
    for _ in range(times):
        wrong.count(address, name)


def test_nine_wrong_passwords_for_a_name_hold_nobody_off(wrong: WrongCredentials) -> None:
    guess(wrong, 9)

    assert wait(wrong, HERE, "ann") == 0


def test_ten_wrong_passwords_within_a_minute_hold_the_address_off_for_that_name(
    wrong: WrongCredentials,
) -> None:
    guess(wrong, 10)

    assert wait(wrong, HERE, "ann") == 10
    assert wait(wrong, HERE, "bob") == 0
    assert wait(wrong, HERE) == 0


def test_the_rightful_user_elsewhere_is_not_kept_out(wrong: WrongCredentials) -> None:
    guess(wrong, 10)

    assert wait(wrong, ELSEWHERE, "ann") == 0


def test_what_was_wrong_more_than_a_minute_ago_does_not_count(
    wrong: WrongCredentials, clock: ManualClock
) -> None:
    guess(wrong, 9)
    clock.advance(timedelta(seconds=61))
    guess(wrong, 9)

    assert wait(wrong, HERE, "ann") == 0


def test_any_ten_within_a_minute_count_wherever_the_minute_begins(
    wrong: WrongCredentials, clock: ManualClock
) -> None:
    guess(wrong, 1)
    clock.advance(timedelta(seconds=50))
    guess(wrong, 8)
    clock.advance(timedelta(seconds=20))
    assert wait(wrong, HERE, "ann") == 0

    guess(wrong, 2)

    assert wait(wrong, HERE, "ann") > 0


def test_a_hundred_wrong_ones_of_all_kinds_hold_the_address_off_altogether(wrong: WrongCredentials) -> None:
    for number in range(50):
        wrong.count(HERE, f"user {number}")
        wrong.count(HERE)

    assert wait(wrong, HERE) == wait(wrong, HERE, "somebody else") == 10
    assert wait(wrong, ELSEWHERE) == 0


def test_each_wait_is_twice_as_long_as_the_one_before_up_to_five_minutes(
    wrong: WrongCredentials, clock: ManualClock
) -> None:
    guess(wrong, 9)
    waits = []
    for _ in range(7):
        guess(wrong, 1)
        waits.append(wait(wrong, HERE, "ann"))
        clock.advance(timedelta(seconds=waits[-1]))
        assert wait(wrong, HERE, "ann") == 0

    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert timedelta(minutes=5) == LONGEST_WAIT


def test_a_wait_is_forgotten_after_a_while_without_wrong_ones(
    wrong: WrongCredentials, clock: ManualClock
) -> None:
    guess(wrong, 10)
    clock.advance(timedelta(minutes=11))

    guess(wrong, 9)
    assert wait(wrong, HERE, "ann") == 0
    guess(wrong, 1)
    assert wait(wrong, HERE, "ann") == 10


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_addresses_that_one_machine_may_have_count_as_one(
    wrong: WrongCredentials, one: str, other: str
) -> None:
    guess(wrong, 10, one)

    assert wait(wrong, other, "ann") > 0


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8::1", "2001:db8:0:1::1"), ("192.0.2.1", "192.0.2.2"), ("", "192.0.2.2")]
)
def test_addresses_of_others_count_apart(wrong: WrongCredentials, one: str, other: str) -> None:
    guess(wrong, 10, one)

    assert wait(wrong, other, "ann") == 0


def test_many_names_from_many_addresses_take_no_more_room_than_some(wrong: WrongCredentials) -> None:
    for number in range(12_000):
        wrong.count(f"2001:db8:{number >> 8:x}:{number & 0xFF:x}::1", "x" * 100 + str(number))

    assert wrong.size <= 4 * 5_000
    guess(wrong, 10, name="ann")
    assert wait(wrong, HERE, "ann") > 0


def test_only_the_first_within_a_minute_is_news(wrong: WrongCredentials, clock: ManualClock) -> None:
    assert wrong.count(HERE, "ann")
    assert not wrong.count(HERE, "ann")
    assert wrong.count(HERE, "bob")
    assert wrong.count(ELSEWHERE, "ann")
    assert wrong.count(HERE)
    clock.advance(timedelta(minutes=1))
    assert wrong.count(HERE, "ann")


def test_many_who_guess_at_one_name_slow_its_checks_and_no_others(
    wrong: WrongCredentials, clock: ManualClock
) -> None:
    for number in range(20):
        wrong.count(f"192.0.2.{number}", "ann")
    assert wrong.delay("ann") == timedelta()

    for number in range(20, 200):
        wrong.count(f"192.0.2.{number}", "ann")

    assert wrong.delay("ann") == LONGEST_DELAY
    assert wrong.delay("bob") == timedelta()
    clock.advance(timedelta(minutes=2))
    assert wrong.delay("ann") == timedelta()

from datetime import timedelta

from lineshaft.model.secret import SealedValue
from lineshaft.model.signing_key import (
    KNOWN_BEFORE,
    SERVED_AFTER,
    SIGNS_FOR,
    SigningKey,
    in_order_of_use,
    needs_successor,
    retired,
)
from lineshaft.ports.clock import ManualClock

NOW = ManualClock().now()
MOMENT = timedelta(microseconds=1)


def key(name: str, age: timedelta, sealed_by: str = "k") -> SigningKey:
    return SigningKey(name, {}, SealedValue(sealed_by, b""), NOW - age)


def order(*keys: SigningKey) -> list[str]:
    return [each.id for each in in_order_of_use(keys, NOW)]


def test_the_newest_key_signs_that_all_who_verify_know() -> None:
    keys = key("old", SIGNS_FOR), key("known", KNOWN_BEFORE), key("fresh", KNOWN_BEFORE - MOMENT)
    assert order(*keys) == ["known", "old", "fresh"]


def test_the_first_key_of_all_signs_at_once() -> None:
    assert order(key("later", timedelta()), key("first", MOMENT)) == ["first", "later"]


def test_keys_of_the_same_age_are_used_in_one_order() -> None:
    keys = key("a", SIGNS_FOR), key("b", SIGNS_FOR)
    assert order(*keys) == order(*reversed(keys))


def test_a_successor_is_due_so_early_that_it_is_known_when_it_signs() -> None:
    due = SIGNS_FOR - KNOWN_BEFORE
    assert needs_successor([], NOW, "k")
    assert not needs_successor([key("a", due - MOMENT)], NOW, "k")
    assert needs_successor([key("a", due)], NOW, "k")


def test_a_successor_is_due_when_the_sealing_key_has_changed() -> None:
    assert needs_successor([key("a", timedelta(), "former")], NOW, "k")
    assert not needs_successor([key("a", timedelta(), "former"), key("b", timedelta())], NOW, "k")


def test_a_key_is_retired_a_day_after_its_successor_has_begun_to_sign() -> None:
    gone = KNOWN_BEFORE + SERVED_AFTER
    former, current = key("former", SIGNS_FOR * 2), key("current", gone - MOMENT)
    assert retired([former, current], NOW) == []
    assert retired([former, key("current", gone)], NOW) == [former]


def test_the_only_key_is_never_retired() -> None:
    assert retired([key("a", SIGNS_FOR * 3)], NOW) == []

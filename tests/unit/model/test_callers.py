"""Which other pipelines may call one."""

from uuid import UUID

import pytest

from lineshaft.model.callers import ANY_CALLER, NO_CALLERS, Callers, can_be_listed

SHOP = UUID("019b1c2e-7b1a-7f0a-9c53-0f5a52d1c0de")
OTHER = UUID("019b1c2e-7b1a-7f0a-9c53-0f5a52d1c0df")


def test_nobody_may_call_where_nothing_is_said() -> None:
    assert Callers.said(None) == NO_CALLERS
    assert not NO_CALLERS.admit(SHOP, "shop")
    assert not NO_CALLERS.admit(SHOP, None)


def test_everybody_may_where_any_caller_is_said() -> None:
    assert Callers.said(ANY_CALLER).admit(SHOP, None)


def test_a_listed_name_may_and_no_other() -> None:
    callers = Callers.said(["shop", "till"])
    assert [callers.admit(SHOP, name) for name in ("shop", "till", "sho", "Shop", "", None)] == [
        *(True, True),
        *(False, False, False, False),
    ]


def test_a_listed_id_may_whatever_its_name() -> None:
    callers = Callers.said([str(SHOP).upper()])
    assert callers.admit(SHOP, None)
    assert not callers.admit(OTHER, "shop")


def test_a_pipeline_that_is_called_like_anothers_id_is_not_taken_for_it() -> None:
    assert not Callers.said([str(SHOP)]).admit(OTHER, str(SHOP))


@pytest.mark.parametrize("name", ["*", "team-*", str(SHOP), str(SHOP).upper()])
def test_a_name_that_would_mean_something_else_cannot_be_listed(name: str) -> None:
    assert not can_be_listed(name)


@pytest.mark.parametrize("name", ["shop", "shop/web", SHOP.hex, f"{{{SHOP}}}", f"{SHOP}\n"])
def test_any_other_name_can_be_listed(name: str) -> None:
    assert can_be_listed(name)

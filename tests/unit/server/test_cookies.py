"""Cookies are out of the reach of scripts, of other sites and of neighbours."""

from datetime import timedelta

import pytest

from lineshaft.server.cookies import SESSION, TICKET, cookie_of, drop_cookie, set_cookie

PLAIN = {"scheme": "http", "headers": []}
SECURE = {"scheme": "https", "headers": []}


def test_by_https_a_cookie_is_kept_for_this_host_alone() -> None:
    assert set_cookie(SECURE, SESSION, "x-_y", timedelta(hours=12)) == (
        "__Host-lineshaft=x-_y; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"
    )


def test_without_https_a_browser_would_not_take_that() -> None:
    assert set_cookie(PLAIN, TICKET, "x", timedelta(minutes=10)) == (
        "lineshaft-oidc=x; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"
    )


def test_a_cookie_is_taken_back_under_the_same_name() -> None:
    assert drop_cookie(SECURE, SESSION).startswith("__Host-lineshaft=; Path=/; Max-Age=0; ")


@pytest.mark.parametrize(
    ("scheme", "header", "shown"),
    [
        ("https", b"a=b; __Host-lineshaft=x; lineshaft=planted", b"x"),
        ("https", b"lineshaft=planted", None),
        ("http", b"__Host-lineshaft=planted; lineshaft=x", b"x"),
        ("http", b"lineshaft-oidc=y", None),
        ("http", b"lineshaft", None),
        ("http", b"", None),
    ],
)
def test_the_cookie_that_counts_is_the_one_of_the_way_that_the_browser_has_taken(
    scheme: str, header: bytes, shown: bytes | None
) -> None:
    assert cookie_of({"scheme": scheme, "headers": [(b"host", b"x"), (b"cookie", header)]}) == shown

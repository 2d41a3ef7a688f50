"""Which addresses a forge may have, and which repositories are a connection's."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from lineshaft.model.connection import Connection, ForgeKind
from lineshaft.services.sources.addresses import connection_of, read_forge_url, takes_login

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def connection(url: str, name: str = "one") -> Connection:
    return Connection(
        id=UUID(int=1),
        name=name,
        kind=ForgeKind.GITLAB,
        url=url,
        api_url="",
        webhook_secret=None,
        token="TOKEN",
        username="oauth2",
        statuses=True,
        trusts_forks=False,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://GitHub.com", "https://github.com"),
        ("https://git.example/", "https://git.example"),
        ("https://git.example:8443/Team/", "https://git.example:8443/Team"),
        ("http://10.0.0.7:3000", "http://10.0.0.7:3000"),
        ("http://[fd00::7]:3000/x", "http://[fd00::7]:3000/x"),
    ],
)
def test_an_address_is_said_without_a_slash_at_its_end(text: str, read: str) -> None:
    assert read_forge_url(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "git.example",
        "ssh://git.example",
        "ftp://git.example",
        "file:///srv/git",
        "https://",
        "https:///team",
        "https://user@git.example",
        "https://user:secret@git.example",
        "https://@git.example",
        "https://git.example?token=1",
        "https://git.example/?",
        "https://git.example/#top",
        "https://git.example:port",
        "https://git.example:99999",
        "https://[::1",
        "https://git example",
        "https://git.example/a\\b",
        "https://git.example/\n",
        "https://git.example/\u202e",
        "https://git.example/" + "a" * 2_048,
    ],
)
def test_what_is_no_plain_address_of_a_forge_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_forge_url(text)


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example/team/shop",
        "https://git.example/team/shop.git",
        "https://GIT.example:443/Team/shop/",
        "ssh://git@git.example/team/shop.git",
        "git@git.example:team/shop.git",
    ],
)
def test_a_repository_is_the_connections_however_its_address_is_spelt(address: str) -> None:
    known = connection("https://git.example/team")

    assert connection_of(address, [known]) == known


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example/team2/shop",
        "https://git.example/te",
        "https://git.example.evil.example/team/shop",
        "https://evil.example/git.example/team/shop",
        "https://git.example/team/../other/shop",
        "https://git.example:8443/team/shop",
        "/srv/git.example/team/shop",
        "no address",
        "",
    ],
)
def test_what_is_elsewhere_or_only_begins_alike_is_not(address: str) -> None:
    assert connection_of(address, [connection("https://git.example/team")]) is None


def test_of_several_the_longest_path_counts() -> None:
    host, team, deep = (
        connection("https://git.example", "host"),
        connection("https://git.example/team", "team"),
        connection("https://git.example/team/inner", "deep"),
    )
    known = [team, deep, host]

    assert connection_of("https://git.example/other/shop", known) == host
    assert connection_of("git@git.example:team/shop", known) == team
    assert connection_of("https://git.example/team/inner/shop", known) == deep
    assert connection_of("https://git.example/team/inner2", known) == team


def test_a_token_is_shown_at_the_very_place_of_its_connection() -> None:
    known = connection("https://git.example/team")

    assert takes_login("https://git.example/team/shop", known)
    assert takes_login("https://GIT.EXAMPLE:443/team/shop.git", known)


@pytest.mark.parametrize(
    "address",
    [
        "http://git.example/team/shop",
        "https://git.example:22/team/shop",
        "https://git.example:80/team/shop",
        "ssh://git@git.example/team/shop",
        "git@git.example:team/shop",
        "git://git.example/team/shop",
        "https://own:password@git.example/team/shop",
        "https://own@git.example/team/shop",
        "https://git.example:port/team/shop",
    ],
)
def test_a_token_is_shown_to_no_other_protocol_or_port(address: str) -> None:
    assert not takes_login(address, connection("https://git.example/team"))

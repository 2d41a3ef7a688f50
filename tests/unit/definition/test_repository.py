from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineshaft.definition.repository import (
    LocalRepository,
    RemoteRepository,
    read_repository,
    without_credentials,
)
from lineshaft.model.errors import InvalidInputError


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/example/repo",
        "https://user:token@git.example:8443/a/b.git",
        "http://127.0.0.1:3000/a.git",
        "ssh://git@git.example:2222/a/b.git",
        "git://127.0.0.1/a.git",
        "git@github.com:example/repo.git",
        "host:path/to/repo",
        "https://[::1]:8080/a.git",
    ],
)
def test_an_address_of_a_remote_repository_is_taken_as_it_is(address: str) -> None:
    assert read_repository(address) == RemoteRepository(address)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("file:///srv/git/a.git", "/srv/git/a.git"),
        ("file://localhost/srv/a%20b", "/srv/a b"),
    ],
)
def test_an_address_of_a_local_repository_becomes_its_path(address: str, path: str) -> None:
    assert read_repository(address) == LocalRepository(PurePosixPath(path))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "--upload-pack=touch /tmp/owned",
        "--upload-pack=/bin/true",
        "-oProxyCommand=true",
        "ext::sh -c true",
        "ext::true",
        "fd::17",
        "foo::https://example.org",
        "ftp://example.org/a",
        "javascript:alert(1)//://",
        "https://",
        "https:///path",
        "ssh://-oProxyCommand=true/a",
        "ssh://-x@host/a",
        "https://exa mple.org/a",
        "https://example.org/\x00",
        "https://example.org/\n",
        "https://example.org:99999999/a",
        "https://[::1/a",
        "file://elsewhere/srv/a",
        "relative/path",
        "./here",
        "https://example.org/" + "a" * 2_048,
        "https://us%0aer@example.org/a",
        "\ud800",
    ],
)
def test_any_other_address_is_refused_with_words(address: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        read_repository(address)
    assert refusal.value.message


@given(st.text() | st.text(alphabet="-:/@.ab[]%", max_size=30))
@example("http://[")
def test_nothing_that_git_would_take_for_an_option_or_a_remote_helper_passes(address: str) -> None:
    try:
        repository = read_repository(address)
    except InvalidInputError:
        return
    if isinstance(repository, RemoteRepository):
        assert not repository.url.startswith("-")
        assert "::" not in repository.url.partition("/")[0]
    else:
        assert repository.path.is_absolute()


def test_credentials_are_left_out_of_what_is_shown() -> None:
    assert without_credentials("https://user:token@example.org/a") == "https://example.org/a"
    assert without_credentials("https://user:p@ss@example.org/a@b") == "https://example.org/a@b"
    assert without_credentials("ssh://git:secret@example.org/a") == "ssh://git@example.org/a"
    assert without_credentials("git@example.org:a") == "git@example.org:a"

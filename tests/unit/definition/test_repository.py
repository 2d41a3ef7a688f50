from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lineshaft.definition.repository import (
    LocalRepository,
    RemoteRepository,
    read_repository,
    repository_key,
    repository_segments,
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


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/Acme/Shop",
        "https://github.com/acme/shop.git",
        "https://github.com/acme/shop/",
        "https://github.com/acme/shop.git/",
        "https://github.com//acme///shop",
        "https://github.com/other/../acme/./shop",
        "https://GitHub.com:443/acme/shop.GIT",
        "https://github.com./acme/shop",
        "https://alice:token@github.com/acme/shop.git",
        "https://github.com/acme/%73hop%2Egit",
        "https://github.com/acme/shop#readme",
        "http://github.com:80/acme/shop",
        "git://github.com:9418/acme/shop.git",
        "git@github.com:acme/shop.git",
        "github.com:/acme/shop",
        "ssh://git@github.com/acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git",
        "ssh://git@ssh.github.com:443/acme/shop.git",
        "git@ssh.github.com:acme/shop.git",
    ],
)
def test_all_spellings_of_one_repository_have_one_key(address: str) -> None:
    assert repository_key(address) == "github.com/acme/shop"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("ssh://git@altssh.bitbucket.org:443/acme/shop.git", "bitbucket.org/acme/shop"),
        ("ssh://git@altssh.gitlab.com:443/acme/shop.git", "gitlab.com/acme/shop"),
        ("ssh://git@git.example:2222/acme/shop.git", "git.example:2222/acme/shop"),
        ("http://127.0.0.1:3000/acme/shop", "127.0.0.1:3000/acme/shop"),
        ("https://[::1]:8443/a.git", "[::1]:8443/a"),
        ("https://[::1]/a.git", "[::1]/a"),
        ("https://git.example/a%2Fb", "git.example/a%2Fb"),
        ("https://git.example/a%2fb", "git.example/a%2Fb"),
        ("https://git.example/Übung", "git.example/%C3%BCbung"),
        ("https://git.example/%C3%9Cbung", "git.example/%C3%BCbung"),
        ("https://git.example/%ff", "git.example/%FF"),
        ("https://git.example/?p=shop.git", "git.example/%3Fp=shop"),
        ("git.example:~alice/shop.git", "git.example/~alice/shop"),
        ("git.example:100%.git", "git.example/100%25"),
        ("https://git.example/a/.git", "git.example/a"),
        ("https://git.example", "git.example"),
        ("https://git.example/", "git.example"),
        ("https://git.example/../..", "git.example"),
        ("/srv/git/Shop.git", "file:/srv/git/Shop"),
        ("file:///srv/git/Shop.git/", "file:/srv/git/Shop"),
        ("file://localhost/srv//a%20b", "file:/srv/a b"),
        ("//srv/./git", "file:/srv/git"),
        ("/x.git", "file:/x"),
        ("/", "file:/"),
    ],
)
def test_a_key_keeps_what_tells_repositories_apart(address: str, key: str) -> None:
    assert repository_key(address) == key


@pytest.mark.parametrize(
    "address", ["", "ext::sh", "ftp://example.org/a", "https:///path", "https://./a", "a\nb", "http://["]
)
def test_what_is_no_address_has_no_key(address: str) -> None:
    with pytest.raises(InvalidInputError):
        repository_key(address)


def test_the_names_in_an_address_are_decoded_and_keep_their_case() -> None:
    assert repository_segments("https://git.example/Acme/./x/../Web%20Shop.git/") == ("Acme", "Web Shop")
    assert repository_segments("git@git.example:Acme/100%.git") == ("Acme", "100%")
    assert repository_segments("/srv/Git/shop.git") == ("srv", "Git", "shop")

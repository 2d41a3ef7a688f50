"""The key of a repository is the same for all spellings of its address, and for no other repository."""

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from lineshaft.definition.repository import repository_key, repository_segments
from lineshaft.model.errors import InvalidInputError

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."} and not name.lower().endswith(".git")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4)
UNQUOTED_PATHS = st.lists(NAMES.filter(lambda name: "/" not in name), min_size=1, max_size=4)
HOSTS = st.from_regex(r"[a-z][a-z0-9-]{0,8}(\.[a-z]{2,5}){1,2}", fullmatch=True)
ENDS = st.sampled_from(["", "/", ".git", ".git/", ".GIT", "//"])
USERS = st.sampled_from(["", "git@", "alice:secret@", "x-access-token:ghp_x@"])
SCHEMES = st.sampled_from(["https://", "http://", "ssh://", "git://"])
PORTS = st.sampled_from(["", ":443", ":80", ":22", ":9418"])


@st.composite
def spellings(draw: st.DrawFn, host: str, path: list[str]) -> str:
    """Spell an address by URL, with whatever makes no difference."""
    safe = draw(st.sampled_from(["", "@:!$&'()*+,;=~"]))
    quoted = [quote(name, safe=safe) for name in path]
    place = draw(st.sampled_from(["/", "//", "/./", "/x/../"])).join(quoted)
    spelled = draw(st.sampled_from([host, host.upper(), host.title()]))
    start = f"{draw(SCHEMES)}{draw(USERS)}{spelled}{draw(PORTS)}"
    return f"{start}/{place}{draw(ENDS)}"


@given(HOSTS, PATHS, st.data())
def test_two_spellings_of_one_address_have_one_key(host: str, path: list[str], data: st.DataObject) -> None:
    one, other = data.draw(spellings(host, path)), data.draw(spellings(host, path))
    assert repository_key(one) == repository_key(other)


@given(HOSTS, UNQUOTED_PATHS, st.data())
def test_an_address_in_the_form_of_scp_has_the_key_of_the_url(
    host: str, path: list[str], data: st.DataObject
) -> None:
    scp = f"git@{host}:/{'/'.join(path)}{data.draw(ENDS)}"
    assert repository_key(scp) == repository_key(data.draw(spellings(host, path)))


@given(HOSTS, PATHS, st.data())
def test_a_key_is_the_address_of_what_it_is_the_key_of(
    host: str, path: list[str], data: st.DataObject
) -> None:
    key = repository_key(data.draw(spellings(host, path)))
    assert repository_key(f"https://{key}") == key


@given(HOSTS, PATHS, PATHS)
def test_two_repositories_of_a_host_share_no_key(host: str, one: list[str], other: list[str]) -> None:
    keys = [
        repository_key(f"https://{host}/{'/'.join(quote(name, safe='') for name in path)}")
        for path in (one, other)
    ]
    same = [name.lower() for name in one] == [name.lower() for name in other]
    assert (keys[0] == keys[1]) is same


@given(HOSTS, PATHS, st.integers(1, 65_535))
def test_another_port_is_another_host(host: str, path: list[str], port: int) -> None:
    place = "/".join(quote(name, safe="") for name in path)
    same = repository_key(f"https://{host}:{port}/{place}") == repository_key(f"https://{host}/{place}")
    assert same is (port in {22, 80, 443, 9418})


@given(HOSTS, PATHS, st.data())
def test_the_forges_own_key_is_what_its_repositories_keys_begin_with(
    host: str, path: list[str], data: st.DataObject
) -> None:
    assert repository_key(data.draw(spellings(host, path))).startswith(
        f"{repository_key(f'https://{host}')}/"
    )


@given(UNQUOTED_PATHS, ENDS, st.sampled_from(["", "file://", "file://localhost"]))
def test_a_folder_keeps_its_case(path: list[str], end: str, start: str) -> None:
    place = "/".join(quote(name, safe="") for name in path) if start else "/".join(path)
    assert repository_key(f"{start}/{place}{end}") == f"file:/{'/'.join(path)}"


@given(st.text(max_size=60) | st.text("ab/.:@%~[]?#\\ git", max_size=40).map(lambda text: f"https://{text}"))
def test_whatever_is_given_it_has_a_key_or_is_refused(text: str) -> None:
    try:
        key = repository_key(text)
    except InvalidInputError:
        return
    assert key
    assert not set(repository_segments(text)) & {"", ".."}

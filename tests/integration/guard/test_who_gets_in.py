"""For every operation that the API describes, and everyone who may call: who gets in.

What is expected is worked out here from the tables of docs/access.md, and not by the function that decides.
"""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx2
import pytest

from http_server import described_api, http_server
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.role import Role, Scope
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.fleet.worker_keys import file_caller, key_hash
from people import People
from planes import temporary_plane

FILE_KEY: Final = "key-of-the-file"
PASSWORD: Final = "correct horse"
RANKS: Final = {"viewer": 0, "runner": 1, "approver": 2, "maintainer": 3, "admin": 4}
LEAST: Final = {"view": 0, "run": 1, "approve": 2, "maintain": 3, "admin": 4, "work": 4}
NOBODY: Final = -1
PIPELINE: Final = "name: one\nsteps: [{name: a, run: make}]\n"
DOCUMENT: Final = described_api()
ORDER: Final = ("get", "post", "patch", "put", "delete")

Headers = dict[str, str]


@dataclass(frozen=True)
class Operation:
    """An operation as the API describes it."""

    method: str
    path: str
    described: Mapping[str, Any]

    @property
    def permission(self) -> str:
        """What it says that it needs."""
        return str(self.described["x-permission"])

    @property
    def named_by(self) -> str:
        """The key of its query that names a pipeline; empty where its path names what it concerns."""
        return str(self.described.get("x-pipeline-named-by", ""))

    @property
    def concerns(self) -> str:
        """What its path or its query names: a pipeline, a run, or neither."""
        if self.named_by:
            return "pipeline_id"
        return next((what for what in ("pipeline_id", "job", "run_id") if f"{{{what}}}" in self.path), "")


def _operations() -> Iterator[Operation]:
    found = [
        Operation(method, path, described)
        for path, methods in DOCUMENT["paths"].items()
        for method, described in methods.items()
    ]
    yield from sorted(found, key=_turn)


def _turn(operation: Operation) -> tuple[bool, int, int]:
    """Tell when an operation is called.

    What removes things comes last, behind all that is below them, and signing out at the very end.
    """
    signs_out = operation.path == "/v1/session" and operation.method == "delete"
    return signs_out, ORDER.index(operation.method), -operation.path.count("/")


_new_id: Final = RandomIds().new_id
OPERATIONS: Final = list(_operations())


@dataclass(frozen=True)
class House:
    """A server with pipelines here and elsewhere, runs of them, and people who call it."""

    plane: ControlPlane
    people: People
    clock: ManualClock
    http: httpx2.AsyncClient
    here: Mapping[str, UUID]
    elsewhere: Mapping[str, UUID]
    nowhere: Mapping[str, UUID] = field(
        default_factory=lambda: {
            "pipeline_id": _new_id(),
            "job": _new_id(),
            "run_id": _new_id(),
            "run": _new_id(),
        }
    )

    def targets(self, operation: Operation) -> Mapping[str, Mapping[str, UUID]]:
        """List what an operation may be called on."""
        if not operation.concerns or operation.permission in {"open", "work"}:
            return {"": self.nowhere}
        return {"here": self.here, "elsewhere": self.elsewhere, "nowhere": self.nowhere}


@pytest.fixture
async def house(tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    of_hash = key_hash(FILE_KEY.encode())
    async with (
        temporary_plane(tmp_path, clock, file_keys=lambda: {of_hash: file_caller(of_hash)}) as plane,
        http_server(plane) as url,
        httpx2.AsyncClient(base_url=url, timeout=60) as http,
    ):
        here, elsewhere = await _pipeline(plane), await _pipeline(plane)
        yield House(plane, People(plane.store, clock), clock, http, here, elsewhere)


async def _pipeline(plane: ControlPlane) -> Mapping[str, UUID]:
    pipeline = await plane.pipelines.create(read_native(PIPELINE.encode()))
    job = await plane.pipelines.create(read_native(PIPELINE.encode()))
    return {
        "pipeline_id": pipeline.id,
        "run_id": (await plane.runs.trigger(pipeline.id)).id,
        # Another one, since what deletes a pipeline is called in both words.
        "job": job.id,
        "run": (await plane.runs.trigger(job.id)).id,
    }


@dataclass(frozen=True)
class Standing:
    """What somebody is, as far as it matters to what they may do."""

    everywhere: str | None = None
    here: str | None = None
    token: str | None = None
    only_here: bool = False

    def rank(self, target: str) -> int:
        """Tell how much they may on a target; the empty one is all that is no pipeline's."""
        if self.only_here and target != "here":
            return NOBODY
        roles = [self.everywhere, self.here if target == "here" else None]
        rank = max((RANKS[role] for role in roles if role is not None), default=NOBODY)
        return rank if self.token is None else min(rank, RANKS[self.token])


Arrival = Callable[[House], Awaitable[Headers]]


def _basic(name: str, password: str) -> Headers:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def _bearer(secret: str) -> Headers:
    return {"Authorization": f"Bearer {secret}"}


def _cookie(secret: str) -> Headers:
    return {"Cookie": f"other=1; lineshaft={secret}; another=2", "Sec-Fetch-Site": "same-origin"}


def _pipelines(house: House) -> frozenset[UUID]:
    return frozenset({house.here["pipeline_id"], house.here["job"]})


def _roles(standing: Standing, house: House) -> dict[str, Any]:
    return {
        "role": None if standing.everywhere is None else Role(standing.everywhere),
        "grants": {} if standing.here is None else dict.fromkeys(_pipelines(house), Role(standing.here)),
    }


def with_password(standing: Standing) -> Arrival:
    """Come with a name and a password."""

    async def arrive(house: House) -> Headers:
        await house.people.user("ann", **_roles(standing, house))
        return _basic("ann", PASSWORD)

    return arrive


def with_session(standing: Standing) -> Arrival:
    """Come with a browser that has signed in."""

    async def arrive(house: House) -> Headers:
        await house.people.user("ann", **_roles(standing, house))
        return _cookie((await house.people.session("ann"))[1])

    return arrive


def with_token(standing: Standing) -> Arrival:
    """Come with a token."""

    async def arrive(house: House) -> Headers:
        await house.people.user("ann", **_roles(standing, house))
        only = _pipelines(house) if standing.only_here else None
        scope = Scope(Role(standing.token or "admin"), only)
        return _bearer((await house.people.token("ann", scope))[1])

    return arrive


USERS: Final = {
    **{f"{role} everywhere": (Standing(role), with_password) for role in RANKS},
    **{f"{role} here": (Standing(here=role), with_session) for role in RANKS if role != "admin"},
    "no role": (Standing(), with_password),
    "no role, by a session": (Standing(), with_session),
    "no role, by a token": (Standing(token="admin"), with_token),
    "viewer everywhere, runner here": (Standing("viewer", "runner"), with_password),
    "maintainer everywhere, viewer here": (Standing("maintainer", "viewer"), with_password),
    **{f"an admin's token as {role}": (Standing("admin", token=role), with_token) for role in RANKS},
    **{
        f"an admin's token as {role} for here only": (
            Standing("admin", token=role, only_here=True),
            with_token,
        )
        for role in RANKS
    },
    "a viewer's token as admin": (Standing("viewer", token="admin"), with_token),
    "a token of the runner here for here only": (
        Standing(here="runner", token="admin", only_here=True),
        with_token,
    ),
    "an admin's session": (Standing("admin"), with_session),
}


@pytest.mark.parametrize("who", USERS)
async def test_a_user_gets_in_where_the_role_says_so_and_nowhere_else(house: House, who: str) -> None:
    standing, means = USERS[who]
    headers = await means(standing)(house)

    for operation in OPERATIONS:
        for target, ids in house.targets(operation).items():
            answer = await _call(house, operation, ids, headers)
            expected = _expected(standing, operation, target)
            assert _verdict(answer, operation, ids) in expected, (operation.method, operation.path, target)


def _expected(standing: Standing, operation: Operation, target: str) -> set[str]:
    if operation.permission in {"open", "self"} or operation.described.get("x-filtered"):
        return {"in"}
    rank = standing.rank(target)
    if rank >= LEAST[operation.permission]:
        # What is wrong with a body may be told before it turns out that there is nothing.
        return {"in", "not there"} if target == "nowhere" else {"in"}
    if target and (rank == NOBODY or (target == "nowhere" and operation.concerns == "run_id")):
        return {"not there"}
    return {"forbidden"}


async def _nothing(_: House) -> Headers:
    return {}


def _just(headers: Headers) -> Arrival:
    async def arrive(_: House) -> Headers:
        return headers

    return arrive


async def _expired_token(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    _, secret = await house.people.token("ann", expires_at=house.clock.now() + timedelta(minutes=1))
    house.clock.advance(timedelta(minutes=1))
    return _bearer(secret)


async def _revoked_token(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    token, secret = await house.people.token("ann")
    await house.plane.store.write(lambda transaction: transaction.tokens.remove(token.id))
    return _bearer(secret)


async def _token_of_a_disabled_user(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN, disabled=True)
    return _bearer((await house.people.token("ann"))[1])


async def _token_of_nobody(house: House) -> Headers:
    return _bearer((await house.people.token("nobody"))[1])


async def _token_without_its_certificate(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    return _bearer((await house.people.token("ann", certificate="ab" * 32))[1])


async def _token_as_a_password(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    return _basic("ann", (await house.people.token("ann"))[1])


async def _token_as_a_cookie(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    return _cookie((await house.people.token("ann"))[1])


async def _cookie_as_a_token(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    return _bearer((await house.people.session("ann"))[1])


async def _hash_of_a_token(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    return _bearer(f"lst_{(await house.people.token('ann'))[0].hash}")


async def _expired_session(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    _, cookie = await house.people.session("ann", lifetime=timedelta(minutes=30))
    house.clock.advance(timedelta(minutes=30))
    return _cookie(cookie)


async def _unused_session(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    _, cookie = await house.people.session("ann")
    house.clock.advance(timedelta(hours=1))
    return _cookie(cookie)


async def _ended_session(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    session, cookie = await house.people.session("ann")
    await house.plane.store.write(lambda transaction: transaction.browser_sessions.remove(session.id))
    return _cookie(cookie)


async def _session_of_a_disabled_user(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN, disabled=True)
    return _cookie((await house.people.session("ann"))[1])


async def _disabled_user(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN, disabled=True)
    return _basic("ann", PASSWORD)


async def _wrong_password(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN)
    return _basic("ann", "wrong horse")


async def _no_password(house: House) -> Headers:
    await house.people.user("ann", Role.ADMIN, password="")
    return _basic("ann", "")


async def _expired_worker_key(house: House) -> Headers:
    _, secret = await house.plane.fleet.worker_keys.create(
        "k", expires_at=house.clock.now() + timedelta(minutes=1)
    )
    house.clock.advance(timedelta(minutes=1))
    return _bearer(secret)


async def _revoked_worker_key(house: House) -> Headers:
    key, secret = await house.plane.fleet.worker_keys.create("k")
    await house.plane.fleet.worker_keys.revoke(key.id)
    return _bearer(secret)


STRANGERS: Final[Mapping[str, Arrival]] = {
    "nothing": _nothing,
    "an empty header": _just({"Authorization": ""}),
    "an empty token": _just({"Authorization": "Bearer"}),
    "another scheme": _just({"Authorization": "Digest lst_x"}),
    "a bogus token": _just(_bearer("lst_" + "A" * 43)),
    "the beginning of a token": _just(_bearer("lst_")),
    "a token of another system": _just(_bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.")),
    "an unknown user": _just(_basic("nobody", PASSWORD)),
    "a bogus cookie": _just(_cookie("A" * 43)),
    "an empty cookie": _just(_cookie("")),
    "an expired token": _expired_token,
    "a revoked token": _revoked_token,
    "a token of a disabled user": _token_of_a_disabled_user,
    "a token of nobody": _token_of_nobody,
    "a token without its certificate": _token_without_its_certificate,
    "a token as a password": _token_as_a_password,
    "a token as a cookie": _token_as_a_cookie,
    "a cookie as a token": _cookie_as_a_token,
    "the hash of a token": _hash_of_a_token,
    "an expired session": _expired_session,
    "a session that was not used for long": _unused_session,
    "a session that was ended": _ended_session,
    "a session of a disabled user": _session_of_a_disabled_user,
    "a disabled user": _disabled_user,
    "a wrong password": _wrong_password,
    "no password, of one who has none": _no_password,
    "an expired worker key": _expired_worker_key,
    "a revoked worker key": _revoked_worker_key,
}


@pytest.mark.parametrize("who", STRANGERS)
async def test_nobody_gets_in_without_good_credentials(house: House, who: str) -> None:
    headers = await STRANGERS[who](house)

    for operation in OPERATIONS:
        house.clock.advance(timedelta(minutes=2))  # Lest they are held off for their many tries.
        answer = await _call(house, operation, house.here, headers)
        expected = "in" if operation.permission == "open" else "unknown"
        assert _verdict(answer, operation, house.here) == expected, (operation.method, operation.path)


async def _own_worker_key(house: House) -> Headers:
    return _bearer((await house.plane.fleet.worker_keys.create("k"))[1])


@pytest.mark.parametrize("who", [_own_worker_key, _just(_bearer(FILE_KEY))], ids=["made here", "of the file"])
async def test_a_worker_key_opens_the_worker_protocol_and_nothing_else(house: House, who: Arrival) -> None:
    headers = await who(house)

    for operation in OPERATIONS:
        answer = await _call(house, operation, house.here, headers)
        if operation.permission in {"open", "work"}:
            assert _verdict(answer, operation, house.here) == "in", (operation.method, operation.path)
        else:
            assert answer.status_code == 403, (operation.method, operation.path)


async def test_what_one_may_not_see_is_answered_just_as_what_is_not_there(house: House) -> None:
    headers = await with_password(Standing(here="maintainer"))(house)

    for operation in OPERATIONS:
        if not operation.concerns or operation.permission == "work":
            continue
        hidden = await _call(house, operation, house.elsewhere, headers)
        missing = await _call(house, operation, house.nowhere, headers)

        other, none = house.elsewhere[operation.concerns], house.nowhere[operation.concerns]
        assert hidden.status_code == missing.status_code == 404
        assert hidden.text.replace(str(other), str(none)) == missing.text
        assert _alike(hidden) == _alike(missing)


def test_every_operation_says_what_it_needs() -> None:
    undeclared = [each.path for each in OPERATIONS if each.described.get("x-permission") not in _ALL]

    assert undeclared == []


def test_only_operations_without_a_lock_are_open() -> None:
    for operation in OPERATIONS:
        assert (operation.described.get("security") == []) == (operation.permission == "open")


_ALL: Final = {"open", "self", *LEAST}


def _alike(answer: httpx2.Response) -> Headers:
    """What two answers that tell the same have in common: all but when, and the id of the request."""
    return {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}


async def _call(
    house: House, operation: Operation, ids: Mapping[str, UUID], headers: Headers
) -> httpx2.Response:
    path = operation.path
    for parameter in operation.described.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", _value(parameter, ids))
    body = b"{}" if operation.method != "get" else b""
    query = {operation.named_by: str(ids["pipeline_id"])} if operation.named_by else {}
    call = house.http.stream(operation.method.upper(), path, params=query, content=body, headers=headers)
    async with call as answer:
        # Streams of what goes on have no end.
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            await answer.aread()
        return answer


def _value(parameter: Mapping[str, Any], ids: Mapping[str, UUID]) -> str:
    name, schema = parameter["name"], parameter["schema"]
    if name in ids:
        return str(ids[name])
    if schema.get("format") == "uuid":
        return str(_new_id())
    return "1" if schema.get("type") == "integer" else "a"


def _verdict(answer: httpx2.Response, operation: Operation, ids: Mapping[str, UUID]) -> str:
    """Tell whether an answer is the guard's, or of something behind it."""
    match answer.status_code:
        case 401:
            return "unknown"
        case 403 if operation.permission not in {"open", "self"}:
            return "forbidden"
        case 404 if operation.concerns and _is_missing(answer, str(ids[operation.concerns])):
            return "not there"
        case 429:
            return "held off"
        case _:
            return "in"


def _is_missing(answer: httpx2.Response, identity: str) -> bool:
    """Tell whether an answer says that there is no such pipeline or run."""
    document = answer.json()
    if document.keys() == {"detail"}:
        return True
    return str(document["type"]).endswith(":run-not-found") and identity in document["detail"]

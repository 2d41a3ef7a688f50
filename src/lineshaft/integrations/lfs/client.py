"""Fetches objects from an LFS server: first it is told where they are, then each comes from there."""

import asyncio
import base64
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from lineshaft.integrations.git.access import login_for
from lineshaft.integrations.git.reach import PRIVATE_ADVICE, Reach
from lineshaft.integrations.git.remote import Remote
from lineshaft.integrations.git.thread import in_thread
from lineshaft.integrations.lfs.batch import (
    HEADERS,
    MOST_OBJECTS,
    Action,
    Told,
    UnreadableAnswerError,
    batch_request,
    printable,
    problem_in,
    read_batch,
)
from lineshaft.integrations.lfs.endpoint import Endpoint
from lineshaft.integrations.lfs.object_store import Shelf
from lineshaft.integrations.lfs.work_tree import PIECE_BYTES, PointerFile
from lineshaft.integrations.outgoing import AddressRefusedError, OutgoingError
from lineshaft.integrations.outgoing.client import Answer
from lineshaft.integrations.outgoing.transfer import Take, Transfer, origin_of
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError
from lineshaft.ports.repositories import Login

T = TypeVar("T")
Pause = Callable[[timedelta], Awaitable[None]]

TRIES: Final = 4
"""How often a server is asked that is away."""

_AT_ONCE: Final = 4
_FIRST_PAUSE: Final = timedelta(seconds=1)
_LONGEST_PAUSE: Final = timedelta(seconds=60)
_LONGEST_ANSWER_BYTES: Final = 4 * 1024 * 1024
_OK: Final = 200
_WANTS_LOGIN: Final = 401
_NOT_THERE: Final = frozenset({404, 410})
_AWAY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS: Final = range(300, 400)
_SAID: Final = {
    401: "wants a login that it knows",
    403: "does not let this worker read",
    404: "knows no such repository",
}


async def pause(time: timedelta) -> None:
    """Wait for a while."""
    await asyncio.sleep(time.total_seconds())


class _AwayError(Exception):
    """A server cannot answer now; the message is a sentence without its end."""

    def __init__(self, message: str, answer: Answer | None = None) -> None:
        super().__init__(message)
        said = "" if answer is None else answer.headers.get("retry-after", "")
        short = said.isascii() and said.isdigit() and len(said) < len("10000")
        self.asked: Final = timedelta(seconds=int(said)) if short else timedelta()


class LfsServer:
    """One LFS server, as one who may read a repository uses it."""

    def __init__(
        self, endpoint: Endpoint, remote: Remote, reach: Reach, transfer: Transfer, wait: Pause = pause
    ) -> None:
        """Ask nothing yet.

        Args:
            endpoint: where it is.
            remote: the repository.
            reach: what git goes by.
            transfer: makes requests.
            wait: lets time pass between tries.
        """
        self._endpoint: Final = endpoint
        self._remote: Final = remote
        self._reach: Final = reach
        self._transfer: Final = transfer
        self._wait: Final = wait
        self._jitter: Final = random.Random()  # noqa: S311 - spreads retries; guards nothing.
        self._headers: Mapping[str, str] = endpoint.headers
        self._signing_in: Final = asyncio.Lock()
        self._signed_in = False
        self._name: Final = _shown(endpoint.url)

    async def ask(self, files: Sequence[PointerFile]) -> list[tuple[PointerFile, Action]]:
        """Ask where objects are.

        Args:
            files: what they are for.

        Raises:
            SourceRefusedError: it has one of them not, or does not give it away, or answers nonsense.
            SourceUnreachableError: it does not answer.
        """
        found = []
        for first in range(0, len(files), MOST_OBJECTS):
            some = files[first : first + MOST_OBJECTS]
            found += await self._patiently(partial(self._ask_once, some))
        return found

    async def fetch(self, found: Sequence[tuple[PointerFile, Action]], shelf: Shelf) -> None:
        """Fetch objects, some at a time.

        Args:
            found: as `ask` has answered.
            shelf: where they come to.

        Raises:
            SourceRefusedError: one of them is not there, or not what its pointer says.
            SourceUnreachableError: one of them does not come.
            OSError: there is no room for one.
        """
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(file: PointerFile, action: Action) -> None:
            async with room:
                await self._patiently(partial(self._try, file, action, shelf))

        try:
            async with asyncio.TaskGroup() as group:
                for file, action in found:
                    group.create_task(one(file, action))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _patiently(self, call: Callable[[int], Awaitable[T]]) -> T:
        """Make a call that may be repeated, with longer and longer pauses between."""
        wait = _FIRST_PAUSE
        for number in range(1, TRIES):
            try:
                return await call(number)
            except _AwayError as error:
                # Spread, so that a fleet does not come back all at once.
                await self._wait(min(max(error.asked, wait), _LONGEST_PAUSE) + wait * self._jitter.random())
                wait *= 2
        try:
            return await call(TRIES)
        except _AwayError as error:
            raise SourceUnreachableError(f"{error}, after {TRIES} tries.") from error

    async def _ask_once(self, files: Sequence[PointerFile], _: int) -> list[tuple[PointerFile, Action]]:
        told = await self._tell(files)
        return [(file, self._action(file, told)) for file in files]

    async def _tell(self, files: Sequence[PointerFile]) -> Mapping[str, Told]:
        body = batch_request({file.pointer.oid: file.pointer for file in files}.values())
        answer = await self._post(body)
        if answer.status == _WANTS_LOGIN and await self._sign_in():
            answer = await self._post(body)
        if answer.status != _OK:
            raise self._refusal(answer)
        try:
            return read_batch(answer.body)
        except UnreadableAnswerError as error:
            raise SourceRefusedError(f"The LFS server {self._name} cannot be understood: {error}.") from error

    async def _post(self, body: bytes) -> Answer:
        url = f"{self._endpoint.url}/objects/batch"
        headers = {**self._headers, **HEADERS}
        try:
            return await self._transfer.post(url, headers, body, most_bytes=_LONGEST_ANSWER_BYTES)
        except OutgoingError as error:
            raise _unanswered(f"The LFS server {self._name}", error) from error

    def _refusal(self, answer: Answer) -> Exception:
        status = answer.status
        if status in _AWAY:
            return _AwayError(f"The LFS server {self._name} answers with status {status}", answer)
        if status in _REDIRECTS:
            where = _shown(answer.headers.get("location", ""))
            return SourceRefusedError(
                f"The LFS server {self._name} redirects to {where}, which is not followed: name the address"
                " that the repository has moved to."
            )
        said = problem_in(answer.body)
        what = _SAID.get(status, "refuses")
        return SourceRefusedError(
            f"The LFS server {self._name} {what} (status {status}{': ' if said else ''}{said})."
        )

    async def _sign_in(self) -> bool:
        """Take what git would sign in with; answers whether there is something that was not tried yet."""
        async with self._signing_in:
            if self._signed_in or not self._endpoint.signs_in:
                return False
            self._signed_in = True
            login = await login_for(self._reach.git, self._remote.address, self._remote.environment)
            if login is None:
                return False
            self._use(login)
            return True

    def _use(self, login: Login) -> None:
        basic = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        self._headers = {**self._headers, "Authorization": f"Basic {basic}"}

    def _action(self, file: PointerFile, told: Mapping[str, Told]) -> Action:
        found = told.get(file.pointer.oid)
        if found is not None and found.error is None and found.download is not None:
            return found.download
        error = None if found is None else found.error
        if error is None or error.code in _NOT_THERE:
            raise SourceRefusedError(
                f"The LFS server {self._name} has no content for '{_path(file)}' (object {file.pointer.oid}):"
                " push it with `git lfs push --all`."
            )
        said = printable(error.message)
        text = f"gives no content for '{_path(file)}' (status {error.code}{': ' if said else ''}{said})"
        if error.code in _AWAY:
            raise _AwayError(f"The LFS server {self._name} {text}")
        raise SourceRefusedError(f"The LFS server {self._name} {text}.")

    async def _try(self, file: PointerFile, first: Action, shelf: Shelf, number: int) -> None:
        """Fetch an object once; from the second time on it is asked for anew, lest its address is overdue."""
        action = first
        if number > 1:
            action = self._action(file, await self._tell([file]))
        with shelf.arriving(file.pointer) as arriving:
            rest = bytearray()

            async def take(part: bytes) -> None:
                rest.extend(part)
                if arriving.size_bytes + len(rest) > file.pointer.size_bytes:
                    raise self._other_content(file)
                if len(rest) >= PIECE_BYTES:
                    piece = bytes(rest)
                    rest.clear()
                    await in_thread(partial(arriving.write, piece))

            answer = await self._get(file, action, take)
            if answer.status != _OK:
                raise self._not_given(file, action, answer, number)
            await in_thread(partial(arriving.write, bytes(rest)))
            if not arriving.whole:
                size = f"{arriving.size_bytes:,} of {file.pointer.size_bytes:,} bytes"
                raise _AwayError(f"{_shown(action.href)} has sent {size} of '{_path(file)}'")
            if not await in_thread(arriving.keep):
                raise self._other_content(file)

    async def _get(self, file: PointerFile, action: Action, take: Take) -> Answer:
        headers = action.header or {}
        try:
            answer = await self._transfer.get(action.href, headers, take)
            if answer.status == _WANTS_LOGIN and self._is_own(action):
                await self._sign_in()
                headers = {**headers, **self._headers}
                answer = await self._transfer.get(action.href, headers, take)
        except OutgoingError as error:
            raise _unanswered(f"{_shown(action.href)}, where '{_path(file)}' is,", error) from error
        return answer

    def _is_own(self, action: Action) -> bool:
        """Whether an object is where its server is, and nothing was said of how to sign in there."""
        if any(name.lower() == "authorization" for name in action.header or {}):
            return False
        try:
            return origin_of(action.href) == origin_of(self._endpoint.url)
        except ValueError:
            return False

    def _not_given(self, file: PointerFile, action: Action, answer: Answer, number: int) -> Exception:
        where, status = _shown(action.href), answer.status
        text = f"{where} gives no content for '{_path(file)}': it answers with status {status}"
        # A signed address may be overdue, so that one more is asked for whatever the status is.
        if status in _AWAY or number == 1:
            return _AwayError(text, answer)
        return SourceRefusedError(f"{text}.")

    def _other_content(self, file: PointerFile) -> SourceRefusedError:
        return SourceRefusedError(
            f"The LFS server {self._name} gives other content for '{_path(file)}' than its pointer names"
            f" (object {file.pointer.oid})."
        )


def _unanswered(what: str, error: OutgoingError) -> Exception:
    if isinstance(error, AddressRefusedError):
        return SourceRefusedError(f"{what} may not be asked: {error}", advice=PRIVATE_ADVICE)
    return _AwayError(f"{what} does not answer: {str(error).removesuffix('.')}")


def _shown(url: str) -> str:
    """Say where something is, without what an address may carry for nobody to see."""
    try:
        scheme, host, port = origin_of(url)
    except ValueError:
        return "an address that is none"
    usual = {"http": 80, "https": 443}.get(scheme)
    return printable(f"{scheme}://{host}" + ("" if port in {None, usual} else f":{port}"))


def _path(file: PointerFile) -> str:
    return printable(file.path)

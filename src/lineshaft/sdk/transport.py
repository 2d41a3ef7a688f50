"""HTTP to one server: requests, pages, streams, and what their failures mean."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

import httpx2

from lineshaft.model.errors import (
    LineshaftError,
    NotFoundError,
    ServerError,
    ServerUnreachableError,
    UnavailableError,
)
from lineshaft.ports.clock import Clock
from lineshaft.sdk.config import ClientConfig, is_loopback
from lineshaft.sdk.problem import error_of
from lineshaft.sdk.stream import OnLost, resumed

T = TypeVar("T")

_TIMEOUT: Final = httpx2.Timeout(30, connect=5)
_STREAM_TIMEOUT: Final = httpx2.Timeout(50, connect=5)
"""A stream on which nothing came for so long is dead: the server says something every 15 seconds."""

_EVENT_LIMIT_BYTES: Final = 16 * 1024 * 1024
_OK: Final = 200
_NAMES_OF_NOTHING: Final = frozenset(("", ".", ".."))


def say_nothing(_: UnavailableError) -> None:
    """Stand in for whoever does not want to hear of lost connections."""


class Transport:
    """HTTP to one server, by one user.

    Failures come out as the errors of the model. Nothing is tried again, except that streams connect again.
    """

    def __init__(self, config: ClientConfig, reconnect_delays: Sequence[timedelta], clock: Clock) -> None:
        """Connect at the first call.

        Args:
            config: the server's address, and credentials.
            reconnect_delays: how long to wait before each try to connect a lost stream again.
            clock: tells how long streams held.
        """
        self.url: Final = config.url
        self._reconnect_delays = reconnect_delays
        self._clock = clock
        self._http = httpx2.Client(
            base_url=config.url,
            auth=None if config.token is not None else (config.username, config.password),
            headers={"Accept": "application/json", **bearer(config.token)},
            timeout=_TIMEOUT,
            verify=config.tls.verification(config.url),
        )

    def close(self) -> None:
        """Let go of all connections."""
        self._http.close()

    def request(self, method: str, path: str, *, subject: object = None, **options: Any) -> httpx2.Response:
        """Make a call, and return its answer once that has come in whole.

        Args:
            method: the HTTP method.
            path: below the server's address.
            subject: the id that the path asks for, if it does.
            options: of httpx2's `request`.

        Raises:
            NotFoundError: a name in the path is one that nothing has.
        """
        _refuse_empty_and_dotted(path)
        with self._reachable():
            answer = self._http.request(method, path, **options)
        if not answer.is_success:
            raise refusal(answer, subject)
        return answer

    def pages(
        self,
        path: str,
        query: Mapping[str, str | Sequence[str]],
        cursor: str,
        item: Callable[[Mapping[str, Any]], T],
        *,
        subject: object = None,
    ) -> Iterator[T]:
        """Go through the items of a list, asking for a page when one is needed.

        Args:
            path: of the list.
            query: that every page is asked with.
            cursor: the query's name for where a page begins.
            item: reads one item's JSON.
            subject: the id that the path asks for, if it does.
        """
        while True:
            page = read(self.request("GET", path, subject=subject, params=query), dict)
            for document in page.get("items", ()):
                yield _understanding(item, document)
            if page.get("next") is None:
                return
            query = {**query, cursor: str(page["next"])}

    def events(
        self,
        path: str,
        last_id: str,
        on_lost: OnLost,
        *,
        subject: object,
        params: Mapping[str, str] | None = None,
    ) -> Iterator[httpx2.ServerSentEvent]:
        """Go through a stream's events up to its end, connecting again where the connection is lost.

        Args:
            path: of the stream.
            last_id: the id of the event behind which to begin; empty for all.
            on_lost: hears of each lost connection, before the wait for the next.
            subject: the id that the path asks for.
            params: the query.
        """

        @contextmanager
        def connect(last_id: str) -> Iterator[httpx2.EventSource]:
            headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
            if last_id:
                headers["Last-Event-ID"] = last_id
            with self.open(path, params=params, headers=headers, timeout=_STREAM_TIMEOUT) as answer:
                if answer.status_code != _OK:
                    raise refusal(answer, subject)
                if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                    raise _senseless("no event stream")
                yield httpx2.EventSource(answer, max_event_size=_EVENT_LIMIT_BYTES)

        return resumed(
            connect,
            last_id=last_id,
            delays=self._reconnect_delays,
            clock=self._clock,
            on_lost=on_lost,
        )

    @contextmanager
    def open(self, path: str, **options: Any) -> Iterator[httpx2.Response]:
        """Make a GET whose answer is read while it comes in, unless it is a refusal."""
        _refuse_empty_and_dotted(path)
        with self._reachable(), self._http.stream("GET", path, **options) as answer:
            if not answer.is_success:
                answer.read()
            yield answer

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except httpx2.RequestError as error:
            raise ServerUnreachableError(
                f"No Lineshaft server answers at {self.url}: {cause_of(error)}.", advice=self._advice(error)
            ) from error

    def _advice(self, error: httpx2.RequestError) -> str:
        if isinstance(root_of(error), ssl.SSLCertVerificationError):
            return "Name the PEM file of the authority that has certified it with LINESHAFT_CA_FILE."
        if is_loopback(self._http.base_url.host):
            return "Start one with `lineshaft up`, or name another by --base-url or LINESHAFT_URL."
        return "Check the address, which comes from --base-url or LINESHAFT_URL, and the network."


def _refuse_empty_and_dotted(path: str) -> None:
    """Refuse a name that would make the path another one: `..` leads from a secret to its pipeline.

    No encoding helps, since `%2E%2E` means the same (RFC 3986, sections 3.3 and 6.2.2).
    """
    for name in path.split("/")[1:]:
        if name in _NAMES_OF_NOTHING:
            raise NotFoundError(
                f"Nothing is named '{name}'.", advice="Give a name as the lists of the server show it."
            )


def bearer(token: str | None) -> Mapping[str, str]:
    """Make the header that shows a token (RFC 6750, section 2.1); none where there is no token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def refusal(answer: httpx2.Response, subject: object) -> LineshaftError:
    """Tell which error an answer stands for that is no success."""
    return error_of(answer.status_code, answer.content, subject=subject)


def read(answer: httpx2.Response, understand: Callable[[Mapping[str, Any]], T]) -> T:
    """Read an answer's JSON."""
    return understood(answer.content, understand)


def understood(text: str | bytes, understand: Callable[[Mapping[str, Any]], T]) -> T:
    """Read JSON that a server said.

    Raises:
        ServerError: it is no JSON, or `understand` cannot make anything of it.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _senseless("no JSON") from error
    return _understanding(understand, document)


def _understanding(understand: Callable[[Mapping[str, Any]], T], document: Any) -> T:
    try:
        return understand(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _senseless("not understood") from error


def _senseless(what: str) -> ServerError:
    return ServerError(
        f"The server's answer is {what}.",
        status=_OK,
        advice="Check the server's address, and that it is not newer than this client.",
    )


def cause_of(error: Exception) -> str:
    """Tell in words what lies behind an error of the HTTP client."""
    inner = root_of(error)
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(error).rstrip(".") or type(error).__name__


def root_of(error: Exception) -> BaseException:
    """Find the error that all others around it come from."""
    inner: BaseException = error
    while inner.__cause__ is not None or inner.__context__ is not None:
        inner = inner.__cause__ or inner.__context__ or inner
    return inner

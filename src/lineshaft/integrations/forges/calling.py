"""Calls of forges' APIs that set a status, and what their answers mean."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from lineshaft.integrations.outgoing.guard import AddressRefusedError, OutgoingError
from lineshaft.model.connection import Connection
from lineshaft.model.errors import (
    ForgeBusyError,
    ForgeError,
    ForgeRefusedError,
    ForgeUnreachableError,
)
from lineshaft.ports.clock import Clock

if TYPE_CHECKING:
    from lineshaft.integrations.outgoing.client import Answer, OutgoingClient

_SHORTEST_PAUSE: Final = timedelta(seconds=1)
_USUAL_PAUSE: Final = timedelta(minutes=1)
"""What GitHub asks for where it does not say how long to wait."""
_LONGEST_PAUSE: Final = timedelta(hours=1)
_LONGEST_WORDS: Final = 300
_DEEPEST: Final = 5
_MOST_DIGITS: Final = 12

_REFUSALS: Final = {
    401: "does not take the token",
    403: "does not let the token set a status",
    404: "knows no such repository or commit, or does not show it",
}
_CREATED: Final = 201
_TRY_AGAIN: Final = frozenset({408, 409, 423, 425})
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = 500
_UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class StatusCall:
    """A call that sets a status.

    Attributes:
        connection: which forge.
        token: what signs in there.
        url: where the call goes.
        headers: those by which it signs in, and what else the forge asks for.
        document: what is sent, as JSON.
        needs: what the token must be allowed, as the end of a sentence.
    """

    connection: Connection
    token: str
    url: str
    headers: Mapping[str, str]
    document: Mapping[str, str]
    needs: str


def is_created(answer: "Answer") -> bool:
    """Tell whether something was made, as a call that was redirected to another method does not."""
    return answer.status == _CREATED


def is_busy(answer: "Answer") -> bool:
    """Tell whether an answer asks for fewer calls by its status (RFC 6585, RFC 9110)."""
    unavailable = answer.status == _UNAVAILABLE and "retry-after" in answer.headers
    return answer.status == _TOO_MANY or unavailable


async def set_status(
    client: "OutgoingClient",
    clock: Clock,
    call: StatusCall,
    *,
    is_done: Callable[["Answer"], bool] = is_created,
    is_limited: Callable[["Answer"], bool] = is_busy,
) -> None:
    """Make a call.

    Args:
        client: by which it goes.
        clock: tells how far away the times are that a forge names.
        call: what is to be said.
        is_done: tells an answer to it that says that the status is set.
        is_limited: tells one that asks for fewer calls.

    Raises:
        ForgeBusyError: the limit of calls is reached.
        ForgeUnreachableError: nobody answers, or with an error of its own.
        ForgeRefusedError: the forge does not take it, or the call may not go there.
    """
    answer = await _send(client, call)
    if is_done(answer):
        return
    raise _busy(call, answer, clock.now()) if is_limited(answer) else _refusal(call, answer)


async def _send(client: "OutgoingClient", call: StatusCall) -> "Answer":
    headers = {"accept": "application/json", **call.headers, "content-type": "application/json"}
    body = json.dumps(call.document, ensure_ascii=False).encode("utf-8", "replace")
    name = call.connection.name
    try:
        return await client.send("POST", call.url, headers=headers, body=body)
    except AddressRefusedError as error:
        raise ForgeRefusedError(
            f"The API of the connection '{name}' may not be called: {error}",
            advice=f"Check the connection's API address, {call.connection.api_url}.",
        ) from None
    except OutgoingError as error:
        raise ForgeUnreachableError(
            f"The API of the connection '{name}' does not answer: {error}",
            advice="See whether it runs and can be reached from this server.",
        ) from None


def signing_token(connection: Connection, token: str) -> str:
    """Return a token that can stand in a header.

    Raises:
        ForgeRefusedError: it cannot, or there is none.
    """
    if token and token.isascii() and token.isprintable() and " " not in token:
        return token
    what = "holds characters that no token has" if token else "is empty"
    raise ForgeRefusedError(
        f"The token of the connection '{connection.name}' {what}.",
        advice="Set the secret that the connection names to the token alone, without a line break.",
    )


def _refusal(call: StatusCall, answer: "Answer") -> ForgeError:
    """Make an error of an answer that is no success, and no wish for fewer calls."""
    name, status = call.connection.name, answer.status
    said = words_of(answer.body).replace(call.token, "***")
    words = f" It says: {said}" if said else ""
    if status >= _SERVER_ERRORS or status in _TRY_AGAIN:
        return ForgeUnreachableError(
            f"The forge of the connection '{name}' answers with HTTP {status}.{words}",
            advice="It is tried again.",
        )
    message = _REFUSALS.get(status, f"does not take the status (HTTP {status})")
    advice = f"See that the token is good, and may do this: {call.needs}."
    if status not in _REFUSALS:
        advice = f"Check the connection's API address, {call.connection.api_url}."
    return ForgeRefusedError(f"The forge of the connection '{name}' {message}.{words}", advice=advice)


def _busy(call: StatusCall, answer: "Answer", now: datetime) -> ForgeBusyError:
    """Make an error of an answer by which a forge asks for fewer calls."""
    pause = min(max(_pause(answer.headers, now), _SHORTEST_PAUSE), _LONGEST_PAUSE)
    return ForgeBusyError(
        f"The forge of the connection '{call.connection.name}' wants no more calls for "
        f"{round(pause.total_seconds())} seconds.",
        retry_after=pause,
        advice="It is tried again then. Report fewer statuses, or use a token with a higher limit.",
    )


def _pause(headers: Mapping[str, str], now: datetime) -> timedelta:
    after = headers.get("retry-after", "").strip()
    seconds = _whole(after)
    if seconds is not None:
        return timedelta(seconds=seconds)
    if after:
        try:
            return parsedate_to_datetime(after) - now
        except (ValueError, TypeError, OverflowError, IndexError):
            pass
    for name in ("x-ratelimit-reset", "ratelimit-reset"):
        reset = _whole(headers.get(name, "").strip())
        if reset is not None:
            return timedelta(seconds=reset - now.timestamp())
    return _USUAL_PAUSE


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def words_of(body: bytes) -> str:
    """Return what a forge says of an error, in one line; empty where that cannot be told."""
    try:
        said = _said(json.loads(body), _DEEPEST)
    except (ValueError, RecursionError):
        return ""
    printable = "".join(each if each.isprintable() else " " for each in said[: 2 * _LONGEST_WORDS])
    return " ".join(printable.split())[:_LONGEST_WORDS]


def _said(found: Any, depth: int) -> str:
    """Find the words in a document; forges differ in the fields in which they are."""
    if depth == 0:
        return ""
    match found:
        case str():
            return found
        case {"message": str(message), "errors": [first, *_]}:
            return f"{message}: {_said(first, depth - 1)}"
        case {"message": said} | {"error": said} | {"errors": said} | [said, *_]:
            return _said(said, depth - 1)
        case dict() if found:
            name, said = next(iter(found.items()))
            return f"{name} {_said(said, depth - 1)}"
        case _:
            return ""

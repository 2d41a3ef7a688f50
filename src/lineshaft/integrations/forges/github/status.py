"""Statuses of commits on GitHub.

See https://docs.github.com/en/rest/commits/statuses and
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

from typing import TYPE_CHECKING, Final, assert_never

from lineshaft.integrations.forges.calling import (
    StatusCall,
    is_busy,
    set_status,
    signing_token,
    words_of,
)
from lineshaft.integrations.forges.place import api_url, quoted, two_names
from lineshaft.integrations.forges.wording import bounded_key, shortened
from lineshaft.model.commit_status import CommitStatus, StatusState
from lineshaft.model.connection import Connection
from lineshaft.ports.clock import Clock

if TYPE_CHECKING:
    from lineshaft.integrations.outgoing.client import Answer, OutgoingClient

_API_VERSION: Final = "2022-11-28"
_LONGEST_TEXT: Final = 140
_LONGEST_CONTEXT: Final = 255
_HIGHEST_CHARACTER: Final = 0xFFFF
_FORBIDDEN: Final = 403
_NEEDS: Final = (
    "'Commit statuses: write' of a fine-grained token or an app, or 'repo:status' of a classic token"
)


class GitHubStatuses:
    """Sets statuses of commits on GitHub and GitHub Enterprise Server."""

    def __init__(self, client: "OutgoingClient", clock: Clock) -> None:
        """Call by a client; the clock tells how far away the times are that GitHub names."""
        self._client: Final = client
        self._clock: Final = clock

    async def report(
        self, connection: Connection, token: str, repository: str, commit: str, status: CommitStatus
    ) -> None:
        """Set a status.

        Raises:
            ForgeBusyError: the limit of calls is reached.
            ForgeUnreachableError: it does not answer, or with an error of its own.
            ForgeRefusedError: the token may not, or there is no such commit.
        """
        owner, name = two_names(connection, repository)
        call = StatusCall(
            connection,
            token,
            f"{api_url(connection)}/repos/{owner}/{name}/statuses/{quoted(commit)}",
            {
                "authorization": f"Bearer {signing_token(connection, token)}",
                "accept": "application/vnd.github+json",
                "x-github-api-version": _API_VERSION,
            },
            _document(status),
            _NEEDS,
        )
        await set_status(self._client, self._clock, call, is_limited=_is_limited)


def _document(status: CommitStatus) -> dict[str, str]:
    document = {
        "state": _word(status.state),
        "context": bounded_key(_plain(status.context), _LONGEST_CONTEXT),
        "description": shortened(_plain(status.text), _LONGEST_TEXT),
    }
    return {**document, "target_url": status.url} if status.url else document


def _plain(text: str) -> str:
    """Replace the characters that GitHub does not take here."""
    return "".join(each if ord(each) <= _HIGHEST_CHARACTER else "\ufffd" for each in text)


def _word(state: StatusState) -> str:
    match state:
        case StatusState.PENDING | StatusState.RUNNING:
            return "pending"
        case StatusState.SUCCEEDED | StatusState.SKIPPED:
            # Whoever waits for what was left out on purpose would wait for ever.
            return "success"
        case StatusState.FAILED:
            return "failure"
        case StatusState.ERROR | StatusState.CANCELLED:
            return "error"
        case _:
            assert_never(state)


def _is_limited(answer: "Answer") -> bool:
    """Tell whether GitHub wants fewer calls; 403 says so too, and means lacking rights otherwise."""
    if answer.status != _FORBIDDEN:
        return is_busy(answer)
    headers = answer.headers
    told = "retry-after" in headers or headers.get("x-ratelimit-remaining", "").strip() == "0"
    return told or "rate limit" in words_of(answer.body).lower()

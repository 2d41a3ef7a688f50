"""Statuses of commits on GitLab.

See https://docs.gitlab.com/api/commits/#set-the-pipeline-status-of-a-commit.
"""

from typing import TYPE_CHECKING, Final, assert_never

from lineshaft.integrations.forges.calling import (
    StatusCall,
    is_created,
    set_status,
    signing_token,
    words_of,
)
from lineshaft.integrations.forges.place import api_url, names_below, quoted
from lineshaft.integrations.forges.wording import bounded_key, shortened
from lineshaft.model.commit_status import CommitStatus, StatusState
from lineshaft.model.connection import Connection
from lineshaft.ports.clock import Clock

if TYPE_CHECKING:
    from lineshaft.integrations.outgoing.client import Answer, OutgoingClient

_LONGEST: Final = 255
_BAD_REQUEST: Final = 400
_SAME_AGAIN: Final = "cannot transition status"
_NEEDS: Final = "the scope 'api', in the role Developer or above"


class GitLabStatuses:
    """Sets statuses of commits on GitLab."""

    def __init__(self, client: "OutgoingClient", clock: Clock) -> None:
        """Call by a client; the clock tells how far away the times are that GitLab names."""
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
        project = quoted("/".join(names_below(connection, repository)))
        call = StatusCall(
            connection,
            token,
            f"{api_url(connection)}/projects/{project}/statuses/{quoted(commit)}",
            # Taken of all kinds of tokens, and dropped where a redirect leads to another host.
            {"authorization": f"Bearer {signing_token(connection, token)}"},
            _document(status),
            _NEEDS,
        )
        await set_status(self._client, self._clock, call, is_done=_is_shown)


def _document(status: CommitStatus) -> dict[str, str]:
    document = {
        "state": _word(status.state),
        "name": bounded_key(status.context, _LONGEST),
        "description": shortened(status.text, _LONGEST),
    }
    return {**document, "target_url": status.url} if 0 < len(status.url) <= _LONGEST else document


def _word(state: StatusState) -> str:
    match state:
        case StatusState.PENDING:
            return "pending"
        case StatusState.RUNNING:
            return "running"
        case StatusState.SUCCEEDED:
            return "success"
        case StatusState.FAILED | StatusState.ERROR:
            return "failed"
        case StatusState.CANCELLED:
            return "canceled"
        case StatusState.SKIPPED:
            return "skipped"
        case _:
            assert_never(state)


def _is_shown(answer: "Answer") -> bool:
    """Tell whether GitLab shows it, perhaps because it did already, which it takes for a mistake."""
    repeated = answer.status == _BAD_REQUEST and _SAME_AGAIN in words_of(answer.body).lower()
    return repeated or is_created(answer)

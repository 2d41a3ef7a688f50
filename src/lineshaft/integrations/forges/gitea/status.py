"""Statuses of commits on Gitea and Forgejo.

See https://docs.gitea.com/api/ (`repoCreateStatus`).
"""

from typing import TYPE_CHECKING, Final, assert_never

from lineshaft.integrations.forges.calling import StatusCall, set_status, signing_token
from lineshaft.integrations.forges.place import api_url, quoted, two_names
from lineshaft.integrations.forges.wording import bounded_key, shortened
from lineshaft.model.commit_status import CommitStatus, StatusState
from lineshaft.model.connection import Connection
from lineshaft.ports.clock import Clock

if TYPE_CHECKING:
    from lineshaft.integrations.outgoing.client import OutgoingClient

_LONGEST: Final = 255
_NEEDS: Final = "the scope 'write:repository', for a user who may write to the repository"


class GiteaStatuses:
    """Sets statuses of commits on Gitea and Forgejo."""

    def __init__(self, client: "OutgoingClient", clock: Clock) -> None:
        """Call by a client; the clock tells how far away the times are that answers name."""
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
            {"authorization": f"token {signing_token(connection, token)}"},
            _document(status),
            _NEEDS,
        )
        await set_status(self._client, self._clock, call)


def _document(status: CommitStatus) -> dict[str, str]:
    document = {
        "state": _word(status.state),
        "context": bounded_key(status.context, _LONGEST),
        "description": shortened(status.text, _LONGEST),
    }
    return {**document, "target_url": status.url} if status.url else document


def _word(state: StatusState) -> str:
    match state:
        case StatusState.PENDING | StatusState.RUNNING:
            return "pending"
        case StatusState.SUCCEEDED | StatusState.SKIPPED:
            # Only the newest versions have a word for what was left out on purpose.
            return "success"
        case StatusState.FAILED:
            return "failure"
        case StatusState.ERROR | StatusState.CANCELLED:
            return "error"
        case _:
            assert_never(state)

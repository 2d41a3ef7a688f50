"""Build statuses of commits on Bitbucket Cloud and Bitbucket Data Center.

See https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/ and
https://developer.atlassian.com/server/bitbucket/how-tos/updating-build-status-for-commits/.
"""

import base64
from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import urlsplit

from lineshaft.integrations.forges.calling import StatusCall, set_status, signing_token
from lineshaft.integrations.forges.place import api_url, names_below, nowhere, quoted, two_names
from lineshaft.integrations.forges.wording import bounded_key, shortened
from lineshaft.model.commit_status import CommitStatus, StatusState
from lineshaft.model.connection import Connection
from lineshaft.ports.clock import Clock

if TYPE_CHECKING:
    from lineshaft.integrations.outgoing.client import Answer, OutgoingClient

BEARER_USERNAME: Final = "x-token-auth"
"""What git says who signs in with an access token, which the API takes without a name."""

_LONGEST_KEY: Final = 40
_LONGEST: Final = 255
_SUCCESSES: Final = frozenset({200, 201, 204})
_NEEDS: Final = "the scope 'repository' of Bitbucket Cloud, or 'Repository read' of Data Center"


class BitbucketStatuses:
    """Sets statuses of commits; which Bitbucket it is, the path of its API tells."""

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
        is_data_center = "/rest/api/" in f"{urlsplit(connection.api_url).path}/"
        url = (_data_center_url if is_data_center else _cloud_url)(connection, repository, commit)
        call = StatusCall(
            connection,
            token,
            url,
            {"authorization": _authorization(connection, token)},
            _document(connection, status, is_data_center=is_data_center),
            _NEEDS,
        )
        await set_status(self._client, self._clock, call, is_done=_is_taken)


def _cloud_url(connection: Connection, repository: str, commit: str) -> str:
    workspace, name = two_names(connection, repository)
    api = api_url(connection).removesuffix("/2.0")
    return f"{api}/2.0/repositories/{workspace}/{name}/commit/{quoted(commit)}/statuses/build"


def _data_center_url(connection: Connection, repository: str, commit: str) -> str:
    match names_below(connection, repository):
        case ("scm", project, name) | ("projects", project, "repos", name, *_) | (project, name):
            pass
        case ("users", user, "repos", name, *_):
            project = f"~{user}"
        case _:
            raise nowhere(connection, repository)
    start = f"{api_url(connection)}/projects/{quoted(project)}/repos/{quoted(name)}"
    return f"{start}/commits/{quoted(commit)}/builds"


def _authorization(connection: Connection, token: str) -> str:
    token = signing_token(connection, token)
    if connection.username in {"", BEARER_USERNAME}:
        return f"Bearer {token}"
    return f"Basic {base64.b64encode(f'{connection.username}:{token}'.encode()).decode()}"


def _document(connection: Connection, status: CommitStatus, *, is_data_center: bool) -> dict[str, str]:
    return {
        "key": bounded_key(status.context, _LONGEST_KEY),
        "name": bounded_key(status.context, _LONGEST),
        "state": _word(status.state, "CANCELLED" if is_data_center else "STOPPED"),
        "description": shortened(status.text, _LONGEST),
        # It takes no status without an address.
        "url": status.url or connection.url,
    }


def _word(state: StatusState, cancelled: str) -> str:
    match state:
        case StatusState.PENDING | StatusState.RUNNING:
            return "INPROGRESS"
        case StatusState.SUCCEEDED | StatusState.SKIPPED:
            # A check that must pass would wait for ever for what was left out on purpose.
            return "SUCCESSFUL"
        case StatusState.FAILED | StatusState.ERROR:
            return "FAILED"
        case StatusState.CANCELLED:
            return cancelled
        case _:
            assert_never(state)


def _is_taken(answer: "Answer") -> bool:
    """Tell whether it is shown; Cloud tells a new one from one that was there, Data Center says nothing."""
    return answer.status in _SUCCESSES

"""Forges: the words in which they tell of changes, and in which they are told how runs are going."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lineshaft.model.change import Change
from lineshaft.model.commit_status import CommitStatus
from lineshaft.model.connection import Connection, ForgeKind


@dataclass(frozen=True, slots=True)
class Webhook:
    """A call of a forge, as it came.

    Attributes:
        headers: their names in lower case.
        body: the raw bytes, over which a signature goes.
    """

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """What a forge tells by a call.

    Attributes:
        delivery: the forge's own id of the call, the same when it is repeated. Where the forge gives none, it
            is made of what the body says, so that the same body is the same delivery.
        event: the forge's own word for what happened, such as `push` or `Merge Request Hook`.
        changes: what is of interest; empty where nothing is.
        why_nothing: a sentence that says why `changes` is empty; empty where it is not.
    """

    delivery: str
    event: str
    changes: Sequence[Change]
    why_nothing: str = ""


class WebhookReader(Protocol):
    """Reads the calls of one kind of forge. Pure: neither a clock nor a network is asked."""

    def is_signed(self, webhook: Webhook, secret: str) -> bool:
        """Tell whether whoever called knows the secret, in a time that does not depend on how near they are.

        A call that was overheard is signed as well as it was the first time: remember the deliveries.

        Args:
            webhook: the call.
            secret: never fits when it is empty.
        """
        ...

    def read(self, webhook: Webhook) -> Told:
        """Read a call; ask `is_signed` first.

        Raises:
            InvalidInputError: it is no call of such a forge; each problem with the field of the body.
        """
        ...


class StatusReporter(Protocol):
    """Tells one kind of forge how runs are going. Repeating a call changes nothing."""

    async def report(
        self, connection: Connection, token: str, repository: str, commit: str, status: CommitStatus
    ) -> None:
        """Set a status of a commit.

        Args:
            connection: which forge.
            token: what signs in there.
            repository: an address of the repository there, in any spelling.
            commit: the full id.
            status: what is to be shown.

        Raises:
            ForgeBusyError: it wants no more calls for a while; the error says how long.
            ForgeUnreachableError: it does not answer, or with an error of its own. Worth another try.
            ForgeRefusedError: it will never take this: the token may not, there is no such commit, or the API
                is where no request may go.
        """
        ...


class Forges(Protocol):
    """What is known of each kind of forge."""

    def api_url(self, kind: ForgeKind, url: str) -> str:
        """Say where a forge's API is, by where its pages are; empty where it has none."""
        ...

    def username(self, kind: ForgeKind) -> str:
        """Say what git says who signs in, where a token is all that counts."""
        ...

    def reader(self, kind: ForgeKind) -> WebhookReader | None:
        """Return what reads its webhooks; None where it sends none."""
        ...

    def reporter(self, kind: ForgeKind) -> StatusReporter | None:
        """Return what tells it statuses; None where it takes none."""
        ...


class NoForges:
    """Knows of no forge: where nobody calls any, and none calls."""

    def api_url(self, kind: ForgeKind, url: str) -> str:  # noqa: ARG002 - the protocol's.
        """Say that its API is nowhere."""
        return ""

    def username(self, kind: ForgeKind) -> str:  # noqa: ARG002 - the protocol's.
        """Say what git itself is called by."""
        return "git"

    def reader(self, kind: ForgeKind) -> None:
        """Read no webhooks."""

    def reporter(self, kind: ForgeKind) -> None:
        """Tell no statuses."""


NO_FORGES: Final[Forges] = NoForges()
"""For control planes without forges."""

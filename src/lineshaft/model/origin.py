"""Origins: where a run comes from, beyond what kind of thing started it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lineshaft.model.commit_status import StatusTarget


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run comes from.

    Attributes:
        delivery: the delivery that started it; None where none did.
        actor: who did what started it, as a forge has authenticated them; empty where no forge tells.
        url: a page that shows what started it; empty where there is none.
        pull_request: the number of the pull request that it is for; None where it is for none.
        head_commit: of a pull request, what is asked to be merged; an approval is bound to it.
        from_fork: whether the change comes from another repository than the pipeline's.
        statuses: where it is told how the run is going; None where nobody wants that.
        upstream: the run whose end started it; None where none did.
    """

    delivery: UUID | None = None
    actor: str = ""
    url: str = ""
    pull_request: int | None = None
    head_commit: str = ""
    from_fork: bool = False
    statuses: StatusTarget | None = None
    upstream: UUID | None = None


NO_ORIGIN: Final = Origin()
"""Of a run that somebody started by hand, or a schedule."""

"""Statuses of commits, as the OpenAPI document describes them."""

from datetime import datetime

from pydantic import Field

from lineshaft.model.commit_status import StatusState
from lineshaft.server.documents import Document


class StatusDocument(Document):
    """What a forge is to show of a run or of one of its top-level nodes."""

    context: str = Field(description="By which the forge tells it from others.")
    state: StatusState
    text: str
    connection: str = Field(description="The name of the forge's connection.")
    repository: str = Field(description="An address of the repository there.")
    commit: str
    told: bool = Field(description="Whether the forge has taken it as it is now.")
    tries: int = Field(description="How often it has been tried in vain since it changed.")
    next_try_at: datetime | None = Field(
        description="When it is told next; null where it was told, or has been given up."
    )
    last_error: str | None = Field(description="Why it could not be told the last time.")


class StatusList(Document):
    """What a forge is to show of a run, the run itself first."""

    items: list[StatusDocument]

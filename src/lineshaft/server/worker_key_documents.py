"""The shapes of the API's answers about worker keys, for its description."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from lineshaft.server.documents import Document
from lineshaft.server.requests import BOUND, SERVED


class WorkerKeyDocument(Document):
    """What is known of a worker key."""

    id: UUID
    name: str
    worker: str | None = Field(description="The name of the only worker that may use it; null means any.")
    created_at: datetime
    expires_at: datetime | None
    certificate: str | None = Field(description=BOUND)
    kinds: list[str] | None = Field(description=SERVED)
    last_used_at: datetime | None = Field(description="When a worker last registered with it.")


class NewWorkerKeyDocument(Document):
    """A worker key that was made just now."""

    id: UUID
    name: str
    worker: str | None = Field(description="The name of the only worker that may use it; null means any.")
    key: str = Field(description="The key itself, which is never told again.")
    created_at: datetime
    expires_at: datetime | None
    certificate: str | None = Field(description=BOUND)
    kinds: list[str] | None = Field(description=SERVED)


class WorkerKeyPage(Document):
    """Some of the worker keys, by name."""

    items: list[WorkerKeyDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")

"""The documents of polls, as the API describes them."""

from datetime import datetime

from pydantic import Field

from lineshaft.server.documents import Document


class PollDocument(Document):
    """The looks at the repository of a pipeline."""

    next_at: datetime = Field(description="When the next look is due.")
    last_at: datetime | None = Field(description="When it was looked last, in vain or not.")
    failures: int = Field(description="How many looks in a row were in vain.")
    last_error: str | None = Field(description="Why the last look was in vain; null where it was not.")


class PollPage(Document):
    """The poll of a pipeline; empty where its repository is not polled."""

    items: list[PollDocument]
    next: None = Field(description="There is no further page.")

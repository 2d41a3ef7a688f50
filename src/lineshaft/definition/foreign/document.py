"""What the documents of all formats have in common."""

from pydantic import BaseModel, ConfigDict


class Document(BaseModel):
    """Takes what it knows, as it is: no other keys, no conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

"""What the documents of the pipeline language have in common."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Takes what it knows, as it is: no other keys, no conversions but those that the language names."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

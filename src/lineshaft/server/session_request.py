"""The body of the request that signs a browser in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints


class SignInRequest(BaseModel):
    """Who signs in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
    password: SecretStr = Field(min_length=1, max_length=1_024)

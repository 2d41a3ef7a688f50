"""The shapes of answers in the words of RestfulCI; `wire.jobs` writes what is sent."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from lineshaft.server.documents import Document


class ParameterDocument(Document):
    """An input of a job."""

    name: str
    isRequired: bool  # noqa: N815 - that system's word.
    defaultValue: str = Field(default="", description="Left out where there is none.")  # noqa: N815 - the same.
    choices: list[str] = Field(default=[], description="Left out where it may be anything.")


class JobDocument(Document):
    """A pipeline as a job."""

    id: UUID
    name: str
    type: Literal["GIT", "FREESTYLE"]
    remoteOrigin: str = Field(default="", description="Of a git job alone.")  # noqa: N815 - that system's word.
    configFilepath: str = Field(  # noqa: N815 - that system's word.
        default="", description="Of a git job alone that is kept in its repository."
    )
    dockerImage: str = Field(default="", description="Of a freestyle job with one task alone.")  # noqa: N815 - the same.
    command: list[str] = Field(default=[], description="Of a freestyle job with one task alone.")
    parameters: list[ParameterDocument]


class NamedJobDocument(Document):
    """Whose run a run is."""

    id: UUID
    name: str


class JobInputDocument(Document):
    """What a run was started with."""

    name: str
    value: str


class JobResultDocument(Document):
    """What a task has found."""

    id: UUID
    type: str | None
    containerPath: str = Field(description="By what name it is kept.")  # noqa: N815 - that system's word.


class JobRunDocument(Document):
    """A run of a job."""

    id: int = Field(description="The run's number.")
    uuid: UUID = Field(description="Its id in the routes below /v1.")
    job: NamedJobDocument
    type: Literal["GIT", "FREESTYLE"]
    inputs: list[JobInputDocument]
    status: Literal["IN_PROGRESS", "SUCCESS", "FAIL", "ABORT"]
    triggerAt: datetime  # noqa: N815 - that system's word.
    results: list[JobResultDocument]
    commitSha: str = Field(default="", description="Where it is known.")  # noqa: N815 - that system's word.
    branchName: str = Field(default="", description="Where it is known.")  # noqa: N815 - that system's word.
    completeAt: datetime | None = Field(default=None, description="Once it has ended.")  # noqa: N815 - the same.
    durationInSecond: int = Field(default=0, description="Once it has ended.")  # noqa: N815 - the same.
    exitCode: int = Field(default=0, description="The first that is not 0, once it has ended.")  # noqa: N815 - the same.
    errorMessage: str = Field(default="", description="Where it did not succeed.")  # noqa: N815 - the same.


class JobUserDocument(Document):
    """Who calls."""

    username: str

"""The bodies of requests in the words of RestfulCI."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from lineshaft.model.config_file import ConfigFile
from lineshaft.server.kept_requests import ConfigPath, GitRef, PipelineName, RepositoryAddress
from lineshaft.server.requests import Request, Text
from lineshaft.services.run_request import RunRequest

CONFIG_DEFAULT: Final = "restfulci.yml"

_INPUT: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,999}")
_MOST_INPUTS: Final = 1_000

Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Word = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]


class JobRunRequest(Request):
    """What a job is to run with: a commit, a branch or neither; and inputs beside that, by their names."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    sha: Sha | None = Field(default=None, description="A commit's full id; `commitSha` means the same.")
    commit_sha: Sha | None = Field(default=None, alias="commitSha")
    branch: GitRef | None = Field(default=None, description="A branch; `branchName` means the same.")
    branch_name: GitRef | None = Field(default=None, alias="branchName")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        said = (self.sha, self.commit_sha, self.branch, self.branch_name)
        if sum(each is not None for each in said) > 1:
            raise ValueError("say one commit, or one branch, or neither")
        extra = self._inputs()
        unknown = [name for name in extra if not _INPUT.fullmatch(name)]
        if unknown or len(extra) > _MOST_INPUTS:
            raise ValueError("besides sha and branch there are inputs, whose names are in capital letters")
        if any(not isinstance(value, str | bool | int | float) for value in extra.values()):
            raise ValueError("an input is a text, a number, true or false")
        return self

    def to_request(self) -> RunRequest:
        """Say it as the services take it."""
        branch = self.branch or self.branch_name
        ref = f"refs/heads/{branch}" if branch else self.sha or self.commit_sha
        return RunRequest(inputs=self._inputs(), ref=ref)

    def _inputs(self) -> Mapping[str, Any]:
        return self.model_extra or {}


class JobRequest(Request):
    """A job that is to be made: a git job with a `remoteOrigin`, a freestyle job with a `command`."""

    name: PipelineName
    remote_origin: RepositoryAddress | None = Field(
        default=None, alias="remoteOrigin", description="The repository of a git job."
    )
    config_filepath: ConfigPath = Field(
        default=CONFIG_DEFAULT,
        alias="configFilepath",
        description="The file that says what it does.",
    )
    docker_image: Text | None = Field(
        default=None, alias="dockerImage", min_length=1, description="The image of a freestyle job."
    )
    command: list[Word] | None = Field(
        default=None, min_length=1, max_length=10_000, description="What a freestyle job runs."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        freestyle = self.docker_image is not None and self.command is not None
        if (self.remote_origin is not None) is freestyle or (
            self.remote_origin is not None and (self.docker_image or self.command)
        ):
            raise ValueError("a git job has a remoteOrigin, a freestyle job a dockerImage and a command")
        return self

    @property
    def config_file(self) -> ConfigFile | None:
        """Where the file of a git job is; None of a freestyle job."""
        return (
            None if self.remote_origin is None else ConfigFile(self.remote_origin, path=self.config_filepath)
        )


class ParameterRequest(Request):
    """An input that a freestyle job is to have."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]{0,999}$")]
    default_value: Text | None = Field(default=None, alias="defaultValue")
    choices: list[Text] | None = Field(default=None, max_length=1_000)
    is_required: bool | None = Field(
        default=None, alias="isRequired", description="Null means: where it has no default."
    )

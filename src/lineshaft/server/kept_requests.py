"""The bodies of requests that say in which file of which repository a pipeline is."""

import json
import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from lineshaft.definition.repository import read_repository
from lineshaft.model.config_file import DEFAULT_PATH, ConfigFile
from lineshaft.model.errors import InvalidInputError
from lineshaft.server.requests import Request

_LONGEST_NAME: Final = 1_000
_LONGEST_PATH: Final = 1_024

# git-check-ref-format(1), and nothing that git would take for an option or for more than a name.
_NO_REF: Final = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|\.lock(/|$)|^[-/]|[/.]$|^@$")


def _ref(text: str) -> str:
    if _NO_REF.search(text):
        raise ValueError("must be a branch, a tag or a commit id, as git names them")
    return text


def _path(text: str) -> str:
    parts = text.split("/")
    if not text.isprintable() or "\\" in text or any(part in {"", ".", "..", ".git"} for part in parts):
        raise ValueError("must be a path in the repository, such as ci/lineshaft.yml, without `..`")
    return text


def _address(text: str) -> str:
    try:
        read_repository(text)
    except InvalidInputError as error:
        raise ValueError(error.message) from None
    return text


GitRef = Annotated[str, StringConstraints(min_length=1, max_length=1_024), AfterValidator(_ref)]
ConfigPath = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_PATH), AfterValidator(_path)]
RepositoryAddress = Annotated[str, AfterValidator(_address)]
PipelineName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=_LONGEST_NAME, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"
    ),
]


class KeptRequest(Request):
    """A pipeline whose definition is in a file of its repository."""

    name: PipelineName = Field(description="The pipeline's name, whatever the file says.")
    repository: RepositoryAddress = Field(
        description="The repository in which the file is, and on which runs work."
    )
    ref: GitRef | None = Field(
        default=None,
        description="Where the pipeline's own definition is read: a branch, a tag or a commit id; null means "
        "the default branch.",
    )
    config_path: ConfigPath = Field(default=DEFAULT_PATH, description="The file's path in the repository.")

    @property
    def config_file(self) -> ConfigFile:
        """Where the file is, as the services take it."""
        return ConfigFile(self.repository, self.ref, self.config_path)


def says_where_it_is_kept(body: bytes) -> bool:
    """Whether a body is a `KeptRequest`, and no definition.

    It is a JSON object that has a `config_path`, or a `repository` and neither `steps` nor `stages`.
    """
    if b'"config_path"' not in body and b'"repository"' not in body:
        return False
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return False
    return "config_path" in document or (
        "repository" in document and document.keys().isdisjoint({"steps", "stages"})
    )

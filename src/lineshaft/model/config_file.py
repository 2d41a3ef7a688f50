"""Config files: where a pipeline's definition is kept when it lives in a repository."""

from dataclasses import dataclass
from typing import Final

DEFAULT_PATH: Final = "lineshaft.yml"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file of a repository that says what a pipeline does, at each commit for the runs of that commit.

    Attributes:
        repository: in one of the forms of `definition.repository`; it is what runs work on as well.
        ref: where the pipeline's own definition is read, which says when it starts by itself, and what runs
            work on for which nobody names a ref; None means the default branch.
        path: in the repository, without `..`.
    """

    repository: str
    ref: str | None = None
    path: str = DEFAULT_PATH

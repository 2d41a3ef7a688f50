"""What a task says of its files that are kept: results, artifacts, caches."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class ResultType(StrEnum):
    """How the files of a result are written."""

    JUNIT = "junit"
    COVERAGE = "coverage"
    FILE = "file"
    DIR = "dir"


@dataclass(frozen=True, slots=True)
class ResultRule:
    """Files that tell what a task found; they are kept however it has ended.

    Attributes:
        type: how they are written.
        path: of a file or folder in the workspace, or a glob.
        name: what the result is called, unique in its task.
    """

    type: ResultType
    path: str
    name: str


class KeptWhen(StrEnum):
    """After which endings of a task its artifacts are kept."""

    SUCCESS = "success"
    FAILURE = "failure"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class ArtifactRule:
    """Files that later tasks, and people, may have.

    Attributes:
        name: what the artifact is called, unique in its task.
        paths: globs of files and folders in the workspace.
        expire: how long it is kept; None as long as its run.
        when: after which endings.
    """

    name: str
    paths: tuple[str, ...]
    expire: timedelta | None = None
    when: KeptWhen = KeptWhen.SUCCESS


@dataclass(frozen=True, slots=True)
class CacheRule:
    """Files that spare later runs some work.

    Attributes:
        key: says what they are good for; a task finds those that were kept under the same key.
        paths: files and folders in the workspace.
        restore: beginnings of keys, in order: of the first that fits any, what was kept last is taken when
            nothing is kept under the key itself.
    """

    key: str
    paths: tuple[str, ...]
    restore: tuple[str, ...] = ()

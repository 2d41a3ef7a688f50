"""The git repository that a command is called in: which revision is checked out, and what has changed."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from lineshaft.model.errors import ConfigurationError, InvalidInputError

if TYPE_CHECKING:
    from lineshaft.model.run import Source

_OF_ANOTHER_REPOSITORY: Final = frozenset(
    (
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
        *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    )
)
"""Variables that hooks of git find set, and that would make git look elsewhere than where it is told to."""

_MESSAGE: Final = "--format=%H%x00%an <%ae>%x00%B"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A revision in a repository on this machine.

    Attributes:
        root: the repository's folder.
        commit: the full commit id; None where nothing was ever committed.
        branch: the branch that is checked out, or that was asked for; empty when it is none.
        tag: the tag that is checked out, or that was asked for; empty when it is none or a branch.
        message: the commit's message.
        author: the commit's author, as `NAME <ADDRESS>`.
        changes: the paths in which the revision differs from the commit before it; None where that is not
            known.
        uncommitted: whether files differ from the commit, so that the revision is the files as they are.
    """

    root: Path
    commit: str | None
    branch: str = ""
    tag: str = ""
    message: str = ""
    author: str = ""
    changes: tuple[str, ...] | None = None
    uncommitted: bool = False

    @classmethod
    def around(cls, folder: Path) -> Self | None:
        """Look at what is checked out around a folder, with what is not committed; None outside of git."""
        root = repository_root(folder)
        if root is None:
            return None
        repository = Repository(root)
        if repository.is_bare:
            return cls.at(root, "HEAD")
        branch = repository.ask("symbolic-ref", "--quiet", "--short", "HEAD")
        if repository.ask("rev-parse", "--verify", "--quiet", "HEAD") is None:
            return cls(root, None, branch or "", uncommitted=True)
        commit, author, message = repository.tell("log", "-1", _MESSAGE, "HEAD").split("\0")
        tag = None if branch else repository.ask("describe", "--exact-match", "--tags", "HEAD")
        new = repository.paths("ls-files", "--others", "--exclude-standard")
        edited = repository.paths("diff", "--name-only", "--no-renames", "HEAD")
        return cls(
            root,
            commit,
            branch or "",
            tag or "",
            message.rstrip("\n"),
            author,
            repository.changes("HEAD", to_files=True, new=new),
            uncommitted=bool(new or edited),
        )

    @classmethod
    def at(cls, folder: Path, ref: str) -> Self:
        """Look at a branch, a tag or a commit of the repository around a folder.

        Raises:
            InvalidInputError: there is no repository, or it has no such revision.
        """
        root = repository_root(folder)
        if root is None:
            raise InvalidInputError(f"'{folder}' is in no git repository, so that there is no '{ref}'.")
        repository = Repository(root)
        name = repository.ask("rev-parse", "--symbolic-full-name", "--end-of-options", ref) or ""
        name = name.removeprefix("--end-of-options\n")
        found = repository.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if found is None:
            raise InvalidInputError(
                f"The repository '{root}' has no branch, tag or commit '{ref}'.",
                advice="List them: `git branch --all` and `git tag`.",
            )
        commit, author, message = repository.tell("log", "-1", _MESSAGE, found).split("\0")
        return cls(
            root,
            commit,
            name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else "",
            name.removeprefix("refs/tags/") if name.startswith("refs/tags/") else "",
            message.rstrip("\n"),
            author,
            repository.changes(commit),
        )

    def source(self, changes: tuple[str, ...] | None = None) -> "Source":
        """Say it as the source of a run.

        Args:
            changes: the changed paths, where somebody knows better.
        """
        from lineshaft.model.run import Source

        return Source(
            repository=str(self.root),
            commit=self.commit,
            ref=self.branch or self.tag or self.commit,
            branch=self.branch,
            tag=self.tag,
            message=self.message,
            author=self.author,
            changeset=self.changes if changes is None else changes,
        )


class Repository:
    """Calls git in one repository."""

    def __init__(self, root: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """Look into the repository at a folder.

        Args:
            root: the folder.
            settings: environment variables for git besides this process's own.
        """
        self._command = ("git", "-C", str(root))
        kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
        self._environment = kept | {"GIT_OPTIONAL_LOCKS": "0"} | dict(settings or {})

    @property
    def is_bare(self) -> bool:
        """Whether it has no files beside its history."""
        return self.ask("rev-parse", "--is-bare-repository") == "true"

    def ask(self, *arguments: str) -> str | None:
        """Call git, and return what it prints; None where it refuses.

        Raises:
            ConfigurationError: there is no git on this machine.
        """
        answer = self._call(arguments)
        return None if answer.returncode else answer.stdout.decode("utf-8", "replace").rstrip("\n")

    def tell(self, *arguments: str) -> str:
        """Call git, and return what it prints.

        Raises:
            InvalidInputError: git refuses, and says why.
            ConfigurationError: there is no git on this machine.
        """
        answer = self._call(arguments)
        if answer.returncode:
            said = answer.stderr.decode("utf-8", "replace").strip()
            raise InvalidInputError(f"git cannot tell what is in '{self._command[2]}': {said}")
        return answer.stdout.decode("utf-8", "replace").rstrip("\n")

    def paths(self, *arguments: str) -> tuple[str, ...]:
        """Call a command of git that lists paths; none where it refuses."""
        answer = self._call((*arguments, "-z"))
        if answer.returncode:
            return ()
        return tuple(path for path in os.fsdecode(answer.stdout).split("\0") if path)

    def changes(
        self, commit: str, *, to_files: bool = False, new: tuple[str, ...] = ()
    ) -> tuple[str, ...] | None:
        """List in which paths a commit differs from the one before it; None where that one is not here.

        Args:
            commit: which commit.
            to_files: whether to compare the files as they are with the commit before it.
            new: paths to list besides.
        """
        if self.ask("rev-parse", "--verify", "--quiet", f"{commit}^") is not None:
            ends = (f"{commit}^",) if to_files else (f"{commit}^", commit)
            changed = self.paths("diff", "--name-only", "--no-renames", *ends)
        elif self.ask("rev-parse", "--is-shallow-repository") == "true":
            return None
        elif to_files:
            changed = self.paths("ls-files")
        else:
            changed = self.paths("ls-tree", "-r", "--name-only", "--full-tree", commit)
        return tuple(sorted({*changed, *new}))

    def _call(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                (*self._command, *arguments), capture_output=True, check=False, env=self._environment
            )
        except FileNotFoundError as error:
            raise ConfigurationError(
                "There is no git on this machine.", advice="Install it, and look that it is on the PATH."
            ) from error


def repository_root(folder: Path) -> Path | None:
    """Find the repository that a folder is in, or that it is itself; None where there is none."""
    repository = Repository(folder)
    top = repository.ask("rev-parse", "--show-toplevel")
    if top:
        return Path(top)
    return folder.resolve() if repository.is_bare else None

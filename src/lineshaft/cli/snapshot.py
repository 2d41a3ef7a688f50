"""A folder as it is, committed to a repository of its own that borrows the objects of the one it is in.

So a run finds what is not committed yet, and the user's repository stays as it was.
"""

import os
import shutil
from pathlib import Path
from typing import Final

from lineshaft.cli.checkout import Checkout, Repository
from lineshaft.model.errors import InvalidInputError

_FILES_LIMIT: Final = 20_000
_BYTES_LIMIT: Final = 500_000_000
_NOBODY: Final = {
    "GIT_AUTHOR_NAME": "lineshaft run",
    "GIT_AUTHOR_EMAIL": "run@lineshaft.invalid",
    "GIT_COMMITTER_NAME": "lineshaft run",
    "GIT_COMMITTER_EMAIL": "run@lineshaft.invalid",
}
_BRANCH: Final = "main"


def snapshot_checkout(checkout: Checkout, target: Path) -> Checkout:
    """Commit a checkout's files as they are, but those that git ignores, to a new repository.

    Args:
        checkout: of which files differ from its commit.
        target: the new repository's folder, which is not there yet.

    Returns:
        The same revision in the new repository.

    Raises:
        InvalidInputError: git cannot read the files.
    """
    origin = Repository(checkout.root)
    target.mkdir(parents=True)
    Repository(target).tell("init", "--quiet", "--bare")
    _borrow(origin, checkout.root, target)
    return _commit(checkout, target)


def snapshot_folder(folder: Path, target: Path) -> Checkout:
    """Commit a folder that is in no repository to a new repository.

    Args:
        folder: what to commit.
        target: the new repository's folder, which is not there yet.

    Raises:
        InvalidInputError: there is too much in the folder, or git cannot read it.
    """
    _refuse_large(folder)
    target.mkdir(parents=True)
    Repository(target).tell("init", "--quiet", "--bare")
    return _commit(Checkout(folder.resolve(), None), target)


def _borrow(origin: Repository, root: Path, target: Path) -> None:
    """Let the new repository use the objects of another, and begin from what that knows of its files."""

    def path_in(name: str) -> Path:
        return root / origin.tell("rev-parse", "--git-path", name)

    objects = path_in("objects").resolve()
    (target / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    for name in ("index", "shallow", "info/exclude"):
        if (known := path_in(name)).exists():
            (target / name).parent.mkdir(exist_ok=True)
            # With its time: git looks again at files that are as young as the index.
            shutil.copy2(known, target / name)


def _commit(checkout: Checkout, target: Path) -> Checkout:
    settings = {**_NOBODY, "GIT_DIR": str(target), "GIT_WORK_TREE": str(checkout.root)}
    repository = Repository(checkout.root, settings=settings)
    repository.tell("add", "--all", ".")
    tree = repository.tell("write-tree")
    parent = ("-p", checkout.commit) if checkout.commit else ()
    message = checkout.message or "Files as they are."
    commit = repository.tell("commit-tree", *parent, "-m", message, tree)
    branch = checkout.branch or _BRANCH
    repository.tell("update-ref", f"refs/heads/{branch}", commit)
    repository.tell("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return Checkout(
        target,
        commit,
        checkout.branch,
        checkout.tag,
        checkout.message,
        checkout.author,
        checkout.changes,
    )


def _refuse_large(folder: Path) -> None:
    files = size = 0
    for path, _, names in os.walk(folder):
        files += len(names)
        for name in names:
            size += (Path(path) / name).lstat().st_size
        if files > _FILES_LIMIT or size > _BYTES_LIMIT:
            raise InvalidInputError(
                f"'{folder}' is in no git repository, and holds more than {_FILES_LIMIT:,} files or "
                f"{_BYTES_LIMIT // 10**6} MB.",
                advice="Put the pipeline into a git repository, or name a smaller folder by --source.",
            )

"""Tasks that find the repositories within their repository."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from git_imports import NEW, make_bare, write_commit
from git_server import ENVIRONMENT, git, git_daemon
from lineshaft.integrations.git.submodules import DEEPEST, resolved
from lineshaft.model.errors import SourceRefusedError
from lineshaft.model.reason import ReasonCode
from worker_tasks import Bench

MINE = "submodules/inner"


def with_modules(
    bare: Path, modules: Mapping[str, tuple[str, str]], files: Mapping[str, str] | None = None, more: str = ""
) -> str:
    """Commit to the main branch what holds other repositories.

    Args:
        bare: the repository.
        modules: addresses and commits by paths.
        files: its own files.
        more: what `.gitmodules` says besides in each section.
    """
    text = "".join(
        f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n{more}' for path, (url, _) in modules.items()
    )
    tree = write_commit(bare, {".gitmodules": text, **(files or {})}, [])
    index = {**ENVIRONMENT, "GIT_INDEX_FILE": str(bare / "modules-index")}
    lines = [f"160000 {commit}\t{path}" for path, (_, commit) in modules.items()]
    commit = _with_links(bare, tree, lines, index)
    git("update-ref", "refs/heads/main", commit, folder=bare)
    return commit


def _with_links(bare: Path, tree: str, lines: list[str], environment: Mapping[str, str]) -> str:
    import subprocess

    def run(*arguments: str, text: str = "") -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=bare, env=environment, input=text, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    run("read-tree", tree)
    run("update-index", "--index-info", text="".join(f"{line}\n" for line in lines))
    return run("commit-tree", "-m", "modules", run("write-tree"))


@pytest.fixture
def folder(worker: Bench) -> Path:
    folder = worker.folder / "served"
    folder.mkdir()
    return folder


def bare_in(folder: Path, name: str, files: Mapping[str, str]) -> str:
    bare = make_bare(folder / f"{name}.git")
    commit = write_commit(bare, files, [])
    git("update-ref", "refs/heads/main", commit, folder=bare)
    return commit

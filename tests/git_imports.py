"""Commits written straight into bare repositories by git-fast-import(1): thousands of files at once."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from git_server import ENVIRONMENT, git

NEW = "refs/imports/new"


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link among a commit's files."""

    target: str


@dataclass(frozen=True, slots=True)
class Inner:
    """A commit of another repository among a commit's files: a submodule."""

    commit: str


Content = str | bytes | Link | None


def make_bare(folder: Path) -> Path:
    """Make a bare repository that lets files be left out of a fetch."""
    git("init", "--quiet", "--bare", "--initial-branch=main", str(folder), folder=folder.parent)
    git("config", "uploadpack.allowFilter", "true", folder=folder)
    return folder


def make_nested(folder: Path, files: Mapping[str, Content]) -> tuple[Path, str]:
    """Make a repository with these files, and with another one as its submodule `lib`, which has a file.

    Returns:
        Where it is, and which commit of the inner one it names.
    """
    inner, outer = (make_bare(folder / name) for name in ("inner.git", "outer.git"))
    commit = write_commit(inner, {"file": "inner\n"}, [])
    git("update-ref", "refs/heads/main", commit, folder=inner)
    modules = '[submodule "lib"]\n\tpath = lib\n\turl = ../inner.git\n'
    whole = write_commit(outer, {**files, "lib": Inner(commit), ".gitmodules": modules}, [])
    git("update-ref", "refs/heads/main", whole, folder=outer)
    return outer, commit


def write_commit(
    bare: Path,
    files: Mapping[str, Content | Inner],
    parents: Sequence[str],
    *,
    message: str = "change",
    who: str = "Ada <ada@example.org>",
    at: int = 1_767_225_600,
) -> str:
    """Write a commit to which no branch leads, and return its id.

    Args:
        bare: the repository.
        files: what differs from its first parent; None removes.
        parents: the ids of those it comes from.
        message: what it says.
        who: its author and committer.
        at: its time, in seconds since 1970.
    """
    lines = [f"commit {NEW}\n".encode(), f"author {who} {at} +0000\ncommitter {who} {at} +0000\n".encode()]
    lines.append(_data(message.encode()))
    lines += [f"{'merge' if at else 'from'} {each}\n".encode() for at, each in enumerate(parents)]
    for path, content in files.items():
        if content is None:
            lines.append(b"D " + _quoted(path) + b"\n")
            continue
        if isinstance(content, Inner):
            lines.append(f"M 160000 {content.commit} ".encode() + _quoted(path) + b"\n")
            continue
        mode = b"120000" if isinstance(content, Link) else b"100644"
        lines.append(b"M " + mode + b" inline " + _quoted(path) + b"\n" + _data(_bytes(content)))
    stream = f"reset {NEW}\n".encode() + b"".join(lines) + b"\n"
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(command, cwd=bare, env=ENVIRONMENT, input=stream, check=True, capture_output=True)
    commit = git("rev-parse", NEW, folder=bare)
    git("update-ref", "-d", NEW, folder=bare)
    return commit


def write_history(bare: Path, tip: str, count: int) -> str:
    """Write commits one behind the other, each changing the file `count`; return the last one's id."""
    lines = [f"reset {NEW}\nfrom {tip}\n\n"]
    for number in range(count):
        text = str(number)
        lines.append(
            f"commit {NEW}\ncommitter Ada <ada@example.org> {1_767_225_600 + number} +0000\n"
            f"data {len(text)}\n{text}\nM 100644 inline count\ndata {len(text)}\n{text}\n"
        )
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(
        command, cwd=bare, env=ENVIRONMENT, input="".join(lines).encode(), check=True, capture_output=True
    )
    commit = git("rev-parse", NEW, folder=bare)
    git("update-ref", "-d", NEW, folder=bare)
    return commit


def _bytes(content: str | bytes | Link) -> bytes:
    if isinstance(content, Link):
        return content.target.encode()
    return content.encode() if isinstance(content, str) else content


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    return b'"' + b"".join(b"\\%03o" % byte for byte in path.encode("utf-8", "surrogateescape")) + b'"'

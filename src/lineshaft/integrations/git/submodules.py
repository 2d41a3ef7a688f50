"""Submodules: repositories within a repository, checked out by what its commit says and nothing else."""

import re
import shutil
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lineshaft.definition.repository import LocalRepository, read_repository, without_credentials
from lineshaft.integrations.git.mirror import Fill, Mirror
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.remote import same_host
from lineshaft.integrations.git.thread import in_thread
from lineshaft.model.errors import InvalidInputError, SourceRefusedError, SourceUnreachableError

DEEPEST: Final = 5
"""How deep submodules of submodules nest."""

MOST: Final = 100
"""How many submodules a source has, those of submodules included."""

_FILE: Final = ".gitmodules"
_MOST_BYTES: Final = 256 * 1024
_LINK: Final = "160000"
_FILES: Final = frozenset({"100644", "100755"})
_RELATIVE: Final = re.compile(r"\.\.?/")
# What git itself refuses as a part of a path, on whatever file system.
_BAD_PART: Final = re.compile(r"(?i)|\.{1,2}|\.git|git~\d+|.*[\\:\x00-\x1f].*")


@dataclass(frozen=True, slots=True)
class Place:
    """A repository that is checked out.

    Attributes:
        mirror: has its commit.
        address: where it is.
        commit: what is checked out.
        folder: where to.
        depth: how many repositories are around it.
    """

    mirror: Mirror
    address: str
    commit: str
    folder: Path
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Module:
    """A submodule, as the file and the tree of a commit tell of it."""

    path: str
    url: str
    commit: str


async def check_out_submodules(
    mirrors: Mirrors, whole: Place, keepers: Path, fill: Fill | None = None
) -> tuple[Path, ...]:
    """Check out what is within a repository, and what is within that.

    Of `.gitmodules` only paths and addresses are read. A submodule is held to all that a repository is held
    to, is fetched by the commit that the tree names, and signs in with the login of what is around it where
    it is on the same host.

    Args:
        mirrors: of the process.
        whole: the repository, which is checked out; the folders of its submodules are empty or not there.
        keepers: a folder for what git knows of the submodules; made anew.
        fill: as for `Mirror.checkout`, for each of them.

    Returns:
        The folders outside of theirs that their repositories read.

    Raises:
        SourceRefusedError: one of them is not allowed or not there, or there are too many.
        SourceUnreachableError: one of them does not answer.
        OSError: a file could not be written.
        Exception: what `fill` raises.
    """
    await in_thread(partial(_empty, keepers))
    objects: list[Path] = []
    waiting = deque([whole])
    while waiting:
        place = waiting.popleft()
        for module in await _modules(place):
            if place.depth >= DEEPEST or len(objects) >= MOST:
                raise SourceRefusedError(
                    f"Its submodules are too many: at most {MOST}, at most {DEEPEST} within each other.",
                    advice="Leave `submodules` out of the pipeline's `source`, and fetch what is needed.",
                )
            with _named(module.path):
                inner = _inner(mirrors, place, module)
                await inner.mirror.ensure(module.commit)
                keeper = keepers / str(len(objects))
                await inner.mirror.checkout(module.commit, inner.folder, keeper, fill=fill)
            objects.append(inner.mirror.objects)
            waiting.append(inner)
    return tuple(dict.fromkeys(objects))


async def _modules(place: Place) -> list[_Module]:
    """Read which submodules a commit has: those that both its file and its tree know."""
    tree = await _entries(place, _FILE)
    if tree.get(_FILE, ("", ""))[0] not in _FILES:
        return []
    said = await place.mirror.git.ask(
        *("config", "--no-includes", "-z", "--blob", f"{place.commit}:{_FILE}", "--list"),
        most_bytes=_MOST_BYTES,
    )
    if not said.whole:
        raise SourceRefusedError(f"Its {_FILE} has more than {_MOST_BYTES:,} bytes.")
    told: dict[str, dict[str, str]] = {}
    for record in said.records():
        key, _, value = record.partition("\n")
        name, _, what = key.removeprefix("submodule.").rpartition(".")
        if key.startswith("submodule.") and what in {"path", "url"}:
            told.setdefault(name, {})[what] = value
    urls = {each["path"]: each["url"] for each in told.values() if "path" in each and "url" in each}
    if len(urls) > MOST:
        raise SourceRefusedError(f"It has {len(urls)} submodules; at most {MOST} are checked out.")
    found = await _entries(place, *urls) if urls else {}
    return [
        _Module(path, url, found[path][1])
        for path, url in urls.items()
        if found.get(path, ("", ""))[0] == _LINK
    ]


async def _entries(place: Place, *paths: str) -> dict[str, tuple[str, str]]:
    """Look paths up in a commit's tree: their modes and ids."""
    answer = await place.mirror.git.ask(
        *("--literal-pathspecs", "ls-tree", "-z", "--full-tree", place.commit, "--", *paths)
    )
    entries = {}
    for record in answer.records():
        what, _, path = record.partition("\t")
        mode, _, found = what.split(" ")
        entries[path] = mode, found
    return entries


def _inner(mirrors: Mirrors, around: Place, module: _Module) -> Place:
    address = resolved(around.address, module.url)
    if not _is_local(around.address) and _is_local(address):
        raise SourceRefusedError("It is a folder of the worker, and what is around it comes from elsewhere.")
    mirror = mirrors.of(address)
    login = around.mirror.remote.login
    if login is not None and same_host(mirror.remote, around.mirror.remote):
        mirror = mirrors.of(address, login)
    folder = _folder(around.folder, module.path)
    return Place(mirror, address, module.commit, folder, around.depth + 1)


def resolved(parent: str, url: str) -> str:
    """Say the address of a submodule whole, as gitmodules(5) tells it.

    Args:
        parent: the address of the repository around it.
        url: as it is written; with `./` or `../` it begins at the parent's.

    Raises:
        SourceRefusedError: it leads above the host of its parent.
    """
    if not _RELATIVE.match(url):
        return url
    if "://" in parent:
        host = urlsplit(parent).netloc
        start = parent.index("://") + 3 + len(host)
    else:
        start = 0 if parent.startswith("/") else parent.index(":") + 1
    prefix, parts = parent[:start], parent[start:].rstrip("/").split("/")
    rest = url
    while found := _RELATIVE.match(rest):
        if found[0] == "../":
            if not any(parts):
                above = without_credentials(parent)
                raise SourceRefusedError(f"Its address {url} leads above that of {above}.")
            parts.pop()
        rest = rest[found.end() :]
    return prefix + "/".join([*parts, rest])


def _is_local(address: str) -> bool:
    try:
        return isinstance(read_repository(address), LocalRepository)
    except InvalidInputError as error:
        raise SourceRefusedError(error.message) from error


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)


def _folder(around: Path, path: str) -> Path:
    """Find the folder of a submodule, or make it; a link on the way there leads nowhere."""
    folder = around
    for part in path.split("/"):
        if _BAD_PART.fullmatch(part):
            raise SourceRefusedError("Its path is none that a submodule may have.")
        folder = folder / part
        if not folder.is_symlink():
            folder.mkdir(exist_ok=True)
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise SourceRefusedError("Its path leads over a link.")
    return folder


@contextmanager
def _named(path: str) -> Iterator[None]:
    try:
        yield
    except (SourceRefusedError, SourceUnreachableError) as error:
        raise type(error)(f"The submodule '{path}': {error.message}", advice=error.advice) from error

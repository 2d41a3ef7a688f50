"""Where this process may make control groups (cgroups(7)), and finds those that were left."""

import itertools
import logging
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

from lineshaft.executors.process.cgroup import Cgroup

_NAME_START: Final = "lineshaft-command-"
_LABEL_LENGTH: Final = 160
"""A folder's name has 255 bytes at most."""
_MOST_PROCESSES: Final = 8192
_USABLE_HIERARCHIES: Final = ("pids", "freezer", "name=systemd")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")

_LOG = logging.getLogger(__name__)


def _unique_names() -> Iterator[str]:
    token = secrets.token_hex(6)
    return (f"{token}-{number}" for number in itertools.count(1))


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A cgroup file system in which this process may make groups below its own.

    Attributes:
        mount: the folder where the file system is mounted.
        home: the folder of this process's own group.
        unified: whether this is version 2; otherwise it is a hierarchy of version 1.
        most_processes: how many processes and threads one command may have at once, where this file system
            can count them.
    """

    mount: Path
    home: Path
    unified: bool
    most_processes: int = _MOST_PROCESSES
    _names: Iterator[str] = field(default_factory=_unique_names, repr=False, compare=False)

    def create(self, label: str) -> Cgroup:
        """Make a group for the command of this label.

        Raises:
            OSError: the system does not let this process make it.
        """
        path = self.home / f"{_name(label)}.{next(self._names)}"
        path.mkdir()
        cgroup = Cgroup(path, entered_from=None if self.unified else self.home)
        cgroup.limit(self.most_processes)
        return cgroup

    def leftovers(self, label_prefix: str) -> list[Cgroup]:
        """Find the groups of the commands whose label begins so, whichever process made them."""
        start = _name(label_prefix)
        return [
            Cgroup(Path(folder) / name)
            for folder, names, _ in os.walk(self.mount)
            for name in names
            if name.startswith(start)
        ]

    def allows(self) -> bool:
        """Try whether groups can be made here, and be entered by this process."""
        try:
            cgroup = self.create("probe")
        except OSError:
            return False
        try:
            if self.unified:
                return (cgroup.path / "cgroup.type").read_text() == "domain\n" and all(
                    os.access(folder / "cgroup.procs", os.W_OK) for folder in (self.home, cgroup.path)
                )
            with cgroup.joined():
                return True
        except OSError:
            return False
        finally:
            cgroup.remove()


def find_hierarchy(*, unified: bool | None = None) -> Hierarchy | None:
    """Find where this process may make groups.

    Where both versions are mounted, version 1 is taken.

    Args:
        unified: whether to look for version 2 only, or for version 1 only; None looks for both.
    """
    for hierarchy in _hierarchies():
        if unified in {None, hierarchy.unified} and hierarchy.allows():
            _LOG.debug("Commands get control groups in %s.", hierarchy.home)
            return hierarchy
    _LOG.debug("Commands get no control groups: none can be made by this process.")
    return None


def _hierarchies() -> Iterable[Hierarchy]:
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
        groups = Path("/proc/self/cgroup").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    found = [hierarchy for mount in mounts for group in groups if (hierarchy := _match(mount, group))]
    return [hierarchy for _, hierarchy in sorted(found, key=lambda ranked: ranked[0])]


def _match(mount: str, group: str) -> tuple[int, Hierarchy] | None:
    # 36 35 0:30 /root /mount options - type source super-options; 4:memory,pids:/path (proc(5), cgroups(7)).
    fields = mount.split(" ")
    kind, options = fields[fields.index("-") + 1], fields[-1].split(",")
    _, controllers, path = group.split(":", 2)
    names = set(controllers.split(",")) & set(options) & set(_USABLE_HIERARCHIES)
    unified = kind == "cgroup2" and not controllers
    if not unified and not (kind == "cgroup" and names):
        return None
    with suppress(ValueError):
        below = PurePosixPath(path).relative_to(_unescaped(fields[3]))
        folder = Path(_unescaped(fields[4]))
        if ".." not in below.parts:
            rank = min((_USABLE_HIERARCHIES.index(name) for name in names), default=len(_USABLE_HIERARCHIES))
            return rank, Hierarchy(folder, folder / below, unified=unified)
    return None


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def _name(label: str) -> str:
    return f"{_NAME_START}{quote(label, safe='')[:_LABEL_LENGTH]}"

"""What a machine has to give: processors and memory, as far as this process may use them.

Control groups tell their limits as the kernel's documentation says: Documentation/admin-guide/cgroup-v2.rst
(`cpu.max`, `memory.max`), and cgroup-v1 (`cpu.cfs_quota_us`, `memory.limit_in_bytes`).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

_ROOT: Final = Path("/")
_CONTROL_GROUPS: Final = "sys/fs/cgroup"


def processors(root: Path = _ROOT) -> float:
    """Count the processors that this process may use, or what its control groups allow where that is less.

    Args:
        root: of the file system in which the kernel tells about control groups.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # Elsewhere than on Linux, all processors count.
    count = (os.cpu_count() or 1) if affinity is None else len(affinity(0))
    quotas = (_quota(folder) for folder in _groups(root, "cpu"))
    return min([float(count), *(quota for quota in quotas if quota is not None)])


def memory_bytes(root: Path = _ROOT) -> int:
    """Tell how much memory this machine has, or what this process's control groups allow where that is less.

    Args:
        root: of the file system in which the kernel tells about control groups.
    """
    limits = (_limit(folder) for folder in _groups(root, "memory"))
    return min([int(psutil.virtual_memory().total), *(limit for limit in limits if limit is not None)])


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Go through the folders of this process's control groups, from its own up to the topmost one."""
    mount = root / _CONTROL_GROUPS
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            top = mount
        elif controller in controllers.split(","):
            top = mount / controllers if (mount / controllers).is_dir() else mount / controller
        else:
            continue
        # A container often sees its own group as the topmost one, and a path that is the host's.
        parts = [part for part in path.split("/") if part not in {"", ".", ".."}]
        yield from (top.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1))


def _quota(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
    allowed, of = _number(quota), _number(period)
    return allowed / of if allowed and of else None


def _limit(folder: Path) -> int | None:
    return _number(_text(folder / "memory.max") or _text(folder / "memory.limit_in_bytes")) or None


def _number(text: str) -> int | None:
    """Read a number above -1; "max" and "-1" stand for no limit."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""

"""Memory of a server's processes, as the kernel counts it (Linux, proc(5))."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MEGABYTE: Final = 1_000_000

_KILOBYTE: Final = 1024
_RESET_PEAK: Final = "5"


@dataclass(frozen=True, slots=True)
class Memory:
    """What processes hold together, in bytes.

    Attributes:
        resident: the sum of their resident sets; pages they share count once a process.
        unique: the sum of what would be freed if they ended.
    """

    resident: int
    unique: int


def family(pids: Sequence[int]) -> list[int]:
    """Name the processes and all that descend from them now."""
    found = list(pids)
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def held_by(pids: Sequence[int]) -> Memory:
    """Measure what processes and their descendants hold now."""
    maps = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in family(pids)]
    return Memory(
        resident=sum(_bytes(each, "Rss") for each in maps),
        unique=sum(_bytes(each, "Private_Clean") + _bytes(each, "Private_Dirty") for each in maps),
    )


def forget_peaks(pids: Sequence[int]) -> None:
    """Let the kernel watch anew for the processes' greatest resident sets."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)


def peak_of(pids: Sequence[int]) -> int:
    """Sum up the processes' greatest resident sets since `forget_peaks`, in bytes.

    The kernel keeps them exactly (VmHWM), so that nothing is sampled and nothing disturbed.
    """
    return sum(_bytes(Path(f"/proc/{pid}/status").read_text(), "VmHWM") for pid in pids)


def _bytes(table: str, key: str) -> int:
    for line in table.splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * _KILOBYTE
    raise ProcessLookupError(f"the kernel tells no {key}; the process has ended")

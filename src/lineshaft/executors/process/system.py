"""What the operating system offers to those who have to find and end processes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from lineshaft.executors.process.death import DeathWatch, watch_by_best
from lineshaft.executors.process.hierarchy import Hierarchy, find_hierarchy
from lineshaft.executors.process.subreaper import become_subreaper
from lineshaft.executors.process.table import ProcessTable

if sys.platform == "linux":
    from lineshaft.executors.process.table import ProcFolder as BestTable
else:
    from lineshaft.executors.process.portable_table import PortableTable as BestTable


@dataclass(frozen=True, slots=True)
class System:
    """An operating system, as far as it matters here.

    Attributes:
        table: the machine's processes.
        watch: begins to wait for the death of a child.
        adopts: whether orphans of this process's descendants become its children; otherwise they go to init,
            and are looked for among all processes, which takes far longer.
        cgroups: where each command gets a control group; None where this process may make none.
    """

    table: ProcessTable
    watch: Callable[[int], DeathWatch]
    adopts: bool
    cgroups: Hierarchy | None = None


def this_system() -> System:
    """Take the best that there is, and adopt orphans from now on where that is possible."""
    return System(BestTable(), watch_by_best, become_subreaper(), find_hierarchy())

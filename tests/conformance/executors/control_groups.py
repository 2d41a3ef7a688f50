"""Where the tests may make control groups.

It is found out when the tests are collected, so that a case which this machine cannot have is not there at
all, instead of being skipped. A machine has version 1, version 2, both, or none that this user may use.
"""

from typing import Final

from lineshaft.executors.process.hierarchy import Hierarchy, find_hierarchy


def _counts_processes(hierarchy: Hierarchy) -> bool:
    probe = hierarchy.create("counting")
    try:
        return (probe.path / "pids.max").exists()
    finally:
        probe.remove()


VERSION_1: Final = find_hierarchy(unified=False)
VERSION_2: Final = find_hierarchy(unified=True)

HIERARCHIES: Final = {
    name: found for name, found in (("version 1", VERSION_1), ("version 2", VERSION_2)) if found is not None
}
"""Those that there are here, by name."""

COUNTING: Final = {name: found for name, found in HIERARCHIES.items() if _counts_processes(found)}
"""Those of them that can limit how many processes a group has; version 2 cannot where version 1 does it."""

import os
from pathlib import Path

import psutil
import pytest

from lineshaft.worker.capacity import memory_bytes, processors

ALL = float(len(os.sched_getaffinity(0)))
MEMORY = psutil.virtual_memory().total


def kernel(root: Path, groups: str, **files: str) -> Path:
    """Write what a kernel tells; two underscores in a name stand for a slash."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("-", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def written(root: Path, groups: str, files: dict[str, str]) -> Path:
    return kernel(root, groups, **files)


def test_a_machine_without_control_groups_has_all_that_the_process_may_use(tmp_path: Path) -> None:
    assert processors(tmp_path) == ALL
    assert memory_bytes(tmp_path) == MEMORY


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu-max": "50000 100000\n"}, 0.5),
        ("0::/\n", {"cpu-max": "max 100000\n"}, ALL),
        ("0::/a/b\n", {"cpu-max": "max 100000\n", "a__cpu-max": "20000 100000\n"}, 0.2),
        ("0::/a/b\n", {"a__b__cpu-max": "10000 100000\n", "a__cpu-max": "20000 100000\n"}, 0.1),
        ("0::/host/path\n", {"cpu-max": "25000 100000"}, 0.25),
        (
            "4:cpu,cpuacct:/box\n",
            {"cpu__box__cpu-cfs_quota_us": "30000\n", "cpu__box__cpu-cfs_period_us": "100000\n"},
            0.3,
        ),
        (
            "4:cpu,cpuacct:/box\n",
            {"cpu,cpuacct__cpu-cfs_quota_us": "40000\n", "cpu,cpuacct__cpu-cfs_period_us": "100000\n"},
            0.4,
        ),
        (
            "4:cpu,cpuacct:/\n",
            {"cpu__cpu-cfs_quota_us": "-1\n", "cpu__cpu-cfs_period_us": "100000\n"},
            ALL,
        ),
        ("0::/../..\n", {"cpu-max": "60000 100000\n"}, 0.6),
        ("0::/\n", {"cpu-max": "nonsense\n"}, ALL),
        ("0::/\n", {"cpu-max": "50000 0\n"}, ALL),
        ("nonsense\n", {"cpu-max": "50000 100000\n"}, ALL),
    ],
)
def test_processors_are_those_of_the_smallest_control_group(
    tmp_path: Path, groups: str, files: dict[str, str], expected: float
) -> None:
    assert processors(written(tmp_path, groups, files)) == expected


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"memory-max": "1048576\n"}, 1 << 20),
        ("0::/\n", {"memory-max": "max\n"}, MEMORY),
        ("0::/a\n", {"memory-max": "2097152\n", "a__memory-max": "max\n"}, 2 << 20),
        ("9:memory:/box\n", {"memory__box__memory-limit_in_bytes": "3145728\n"}, 3 << 20),
        ("9:memory:/\n", {"memory__memory-limit_in_bytes": "9223372036854771712\n"}, MEMORY),
    ],
)
def test_memory_is_that_of_the_smallest_control_group(
    tmp_path: Path, groups: str, files: dict[str, str], expected: int
) -> None:
    assert memory_bytes(written(tmp_path, groups, files)) == expected

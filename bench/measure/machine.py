"""The machine that a benchmark runs on."""

import os
import platform
from pathlib import Path

from measure.load import tool


def facts() -> dict[str, str | int | float]:
    """Tell what figures depend on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_gb": _memory_gigabytes(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_tool": tool(),
    }


def load_average() -> float:
    """Tell how many processes wanted to run, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _memory_gigabytes() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)

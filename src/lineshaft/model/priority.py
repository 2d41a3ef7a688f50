"""Priorities: of what waits for a worker, whose tasks go first."""

from typing import Final

LOWEST_PRIORITY: Final = -100
"""The priority behind which nothing waits."""

HIGHEST_PRIORITY: Final = 100
"""The priority that goes before all others."""

ORDINARY_PRIORITY: Final = 0
"""The priority where nobody says one."""

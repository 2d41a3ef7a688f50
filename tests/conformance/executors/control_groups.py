"""Where the tests may make control groups."""

import pytest

from lineshaft.executors.process.hierarchy import Hierarchy, find_hierarchy


def hierarchy_of(*, unified: bool) -> Hierarchy:
    """Find a hierarchy of version 2 or 1, or skip the test."""
    hierarchy = find_hierarchy(unified=unified)
    if hierarchy is None:
        pytest.skip(f"No control groups of version {2 if unified else 1} can be made by this user here")
    return hierarchy

"""Fixtures for every folder of tests.

Hypothesis tries the same examples at every run, so that a run of the tests tells of the change, not of luck.
`--hypothesis-profile=search` looks for new ones.
"""

import gc
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# What tests share asserts too, and is to tell what it saw instead; pytest sees to that in test files only.
pytest.register_assert_rewrite(
    "conformance",
    "integration",
    *(file.stem for file in Path(__file__).parent.glob("*.py") if file.name != "conftest.py"),
)

pytest_plugins = ("databases", "postgres", "s3_server")

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Find the tests without looking for garbage among them, which took a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()

"""Fixtures for every folder of tests.

Hypothesis tries the same examples at every run, so that a run of the tests tells of the change, not of luck.
`--hypothesis-profile=search` looks for new ones.
"""

from hypothesis import settings

pytest_plugins = ("databases", "postgres", "s3_server")

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")

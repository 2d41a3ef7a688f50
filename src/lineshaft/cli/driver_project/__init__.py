"""The project that `lineshaft driver new` writes: its files, as they are but for some words."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from lineshaft import __version__

_FILES: Final[Mapping[str, str]] = {
    "driver.py": "driver.py.txt",
    "tests/test_driver.py": "test_driver.py.txt",
    "lineshaft.yml": "lineshaft.yml.txt",
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    ".gitignore": "gitignore.txt",
}


def driver_project(name: str) -> Mapping[str, str]:
    """Write the project of a driver.

    Args:
        name: the driver's, which is one that it can have.

    Returns:
        The texts of its files by their paths.
    """
    # What a distribution may be named (PyPA's core metadata) is narrower than what a driver may.
    project = re.sub(r"[^A-Za-z0-9]+$", "", name) + "-driver"
    words = {"@NAME@": name, "@PROJECT@": project, "@VERSION@": __version__}
    return {path: _text(source, words) for path, source in _FILES.items()}


def _text(source: str, words: Mapping[str, str]) -> str:
    text = (files(__name__) / source).read_text("utf-8")
    for word, said in words.items():
        text = text.replace(word, said)
    return text

"""Packages from PyPI that only the benchmark needs, in virtual environments of their own."""

import json
import subprocess
import sys
from pathlib import Path

_PIP = ("-m", "pip", "--disable-pip-version-check")


class Packages:
    """A virtual environment that is made when it is first needed, and kept."""

    def __init__(self, folder: Path, *requirements: str) -> None:
        """Name what is to be installed, each requirement with its version.

        Args:
            folder: where environments are kept.
            requirements: the first one names the environment.
        """
        self._folder = folder / f"{requirements[0]}-{sys.implementation.cache_tag}"
        self._requirements = requirements

    @property
    def bin(self) -> Path:
        """Where the programs are."""
        return self._folder / "bin"

    def install(self) -> None:
        """Make the environment unless it is there."""
        done = self._folder / "installed"
        if done.exists():
            return
        subprocess.run([sys.executable, "-m", "venv", "--clear", self._folder], check=True)
        subprocess.run([self.bin / "python", *_PIP, "install", "-qq", *self._requirements], check=True)
        done.touch()

    def versions(self) -> dict[str, str]:
        """Tell what is installed."""
        command = (self.bin / "python", *_PIP, "list", "--format=json")
        found = subprocess.run(command, check=True, capture_output=True).stdout
        return {each["name"]: each["version"] for each in json.loads(found)}

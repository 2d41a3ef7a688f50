#!/usr/bin/env python3
"""Builds this example: by hand, or as a `builder` task of a pipeline."""

import sys
from pathlib import Path

from lineshaft.sdk.builder import Node, main

PYTHON = sys.executable
MADE = Path("made.txt")


def write_version() -> None:
    """Be a step without a process."""
    MADE.write_text("1.0\n", encoding="utf-8")


TREE = Node(
    "example",
    setup=Node("prepare", exec=write_version),
    steps=[
        Node(
            "check",
            order="unordered",
            steps=[
                Node("syntax", exec=[PYTHON, "-m", "py_compile", "greeting.py"]),
                Node("docs", if_changeset_matches=r"\.md$", exec="test -s README.md && echo all is written"),
            ],
        ),
        Node("greet", exec=[PYTHON, "greeting.py"], timeout=60),
    ],
    teardown=Node("tidy", exec="rm -rf made.txt __pycache__ && echo tidy"),
)

if __name__ == "__main__":
    main(TREE)

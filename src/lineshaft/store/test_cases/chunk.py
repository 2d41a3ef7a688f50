"""Test cases as they are kept: many of them packed, and each as a number that stands for its names."""

import json
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from lineshaft.model.test_case import TestCase, TestState

STATES: Final = (TestState.SKIPPED, TestState.PASSED, TestState.FAILED, TestState.ERROR)
"""States by the number that is kept of them; of two about one test the higher one counts."""

SKIPPED: Final = STATES.index(TestState.SKIPPED)
PASSED: Final = STATES.index(TestState.PASSED)
FAILED: Final = STATES.index(TestState.FAILED)
"""This number and those above it are failures."""


def pack(cases: Sequence[TestCase]) -> bytes:
    """Pack test cases."""
    rows = [
        [
            each.suite,
            each.class_name,
            each.name,
            STATES.index(each.state),
            each.seconds,
            each.message,
            each.file,
        ]
        for each in cases
    ]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode())


def unpack(data: bytes) -> list[TestCase]:
    """Unpack what `pack` has packed."""
    if not data:
        return []
    return [
        TestCase(suite, class_name, name, STATES[state], seconds, message, file)
        for suite, class_name, name, state, seconds, message, file in json.loads(zlib.decompress(data))
    ]


def test_number(path: str, case: TestCase) -> int:
    """Tell the number, of 64 bits with a sign, that stands for a test of a node in all runs."""
    names = f"{path}\0{case.suite}\0{case.class_name}\0{case.name}"
    return int.from_bytes(blake2b(names.encode(), digest_size=8).digest(), signed=True)

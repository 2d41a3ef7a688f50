"""Test cases, as reports in JUnit's format tell of them."""

from dataclasses import dataclass
from enum import StrEnum


class TestState(StrEnum):
    """How a test case ended."""

    __test__ = False

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test case of one attempt.

    Attributes:
        suite: the name of its innermost suite; empty where it has none.
        class_name: what it belongs to in its language; empty where the report does not say.
        name: its own.
        state: how it ended.
        seconds: how long it took; None where the report does not say.
        message: why it failed or was skipped, in a few lines; empty where it passed.
        file: where it is written; empty where the report does not say.
    """

    __test__ = False

    suite: str
    class_name: str
    name: str
    state: TestState
    seconds: float | None = None
    message: str = ""
    file: str = ""

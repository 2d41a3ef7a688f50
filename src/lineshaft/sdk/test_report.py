"""Tests as the API shows them; `wire.tests` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from lineshaft.model.test_case import TestState


@dataclass(frozen=True, slots=True)
class CountsView:
    """What test cases have come to.

    Attributes:
        passed: how many passed.
        failed: how many failed.
        error: how many could not be run to their end.
        skipped: how many were left out.
        seconds: how long all of them took together.
        document: the JSON that this was read from.
    """

    passed: int
    failed: int
    error: int
    skipped: int
    seconds: float
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            passed=int(document["passed"]),
            failed=int(document["failed"]),
            error=int(document["error"]),
            skipped=int(document["skipped"]),
            seconds=float(document["seconds"]),
            document=document,
        )


@dataclass(frozen=True, slots=True)
class TestView:
    """A test case of a run, or what many runs tell of a test.

    Attributes:
        path: of the node that runs it.
        suite: the name of its innermost suite.
        class_name: what it belongs to in its language.
        name: its own.
        state: how it ended; in the newest run, where many tell of it.
        seconds: how long it took then; None where nobody knows.
        message: why it failed or was skipped.
        document: the JSON that this was read from, with what else was asked for.
    """

    __test__ = False

    path: str
    suite: str
    class_name: str
    name: str
    state: TestState
    seconds: float | None
    message: str
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        seconds = document["seconds"]
        return cls(
            path=document["path"],
            suite=document["suite"],
            class_name=document["class_name"],
            name=document["name"],
            state=TestState(document["state"]),
            seconds=None if seconds is None else float(seconds),
            message=document["message"],
            document=document,
        )

    @property
    def title(self) -> str:
        """Its name for people."""
        return f"{self.class_name}.{self.name}" if self.class_name else self.name

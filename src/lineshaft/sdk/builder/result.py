"""How a build ended."""

from dataclasses import dataclass
from enum import IntEnum


class Status(IntEnum):
    """How a node ended; the greater, the worse. A node takes the worst of what it is made of."""

    OK = 0
    UNKNOWN = 1
    TIMEOUT = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class Result:
    """How a node ended.

    Attributes:
        name: the node's.
        status: `UNKNOWN` where it did not run because another one failed.
        seconds: how long it took.
        detail: why, in a few words; empty where there is nothing to say.
        parts: the results of what it is made of, setup and teardown included.
    """

    name: str
    status: Status
    seconds: float = 0.0
    detail: str = ""
    parts: tuple["Result", ...] = ()

    def __str__(self) -> str:
        """Draw the tree, a node a line."""
        return "\n".join(self._lines(0))

    def _lines(self, depth: int) -> list[str]:
        detail = f": {self.detail}" if self.detail else ""
        lines = [f"{'  ' * depth}{self.name} {self.status.name} ({self.seconds:.1f} s){detail}"]
        for part in self.parts:
            lines += part._lines(depth + 1)  # noqa: SLF001 - of its own class.
        return lines

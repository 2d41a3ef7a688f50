"""What a Kubernetes API can say to a request or on a watch."""

from dataclasses import dataclass
from typing import Any, Final

# The API server, or what stands before it, is overloaded or on its way up or down.
_BUSY: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """It did what was asked.

    Attributes:
        document: the object.
        warnings: what it has to say beside that.
    """

    document: dict[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """It did not, and says why.

    Attributes:
        status: the HTTP status.
        message: the API's own words.
    """

    status: int
    message: str

    @property
    def busy(self) -> bool:
        """Whether the same may work in a moment."""
        return self.status in _BUSY


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing that makes sense came back.

    Attributes:
        cause: why, as far as we know.
    """

    cause: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The watched object is new or has changed.

    Attributes:
        document: the object as it is now.
    """

    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passed:
    """Nothing happened to the watched object up to a version of the cluster.

    Attributes:
        version: the resource version.
    """

    version: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """The watched object is gone."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The cluster no longer knows what happened since the version that the watch began at."""


Reply = Answer | Refusal | NoAnswer
News = Changed | Passed | Deleted | Expired | Refusal | NoAnswer


def version_of(document: dict[str, Any]) -> str:
    """Read an object's resource version; empty where it has none."""
    match document:
        case {"metadata": {"resourceVersion": str() as version}}:
            return version
        case _:
            return ""

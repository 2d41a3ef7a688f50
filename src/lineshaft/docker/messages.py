"""What a Docker engine says while it builds or pushes, as values and as text."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lineshaft.telemetry.cause import brief, cause_of

if TYPE_CHECKING:
    from aiodocker import DockerError

# The status that aiodocker makes up for a connection that could not be made.
_NO_CONNECTION: Final = 900


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a progress stream.

    Attributes:
        message: as the engine wrote it.
    """

    message: dict[str, Any]

    @property
    def result(self) -> dict[str, Any]:
        """What the work produced (an image's id, a digest), where this message tells it."""
        match self.message:
            case {"aux": dict() as result}:
                return result
            case _:
                return {}


@dataclass(frozen=True, slots=True)
class Refused:
    """The engine could not do it, and says why.

    Attributes:
        text: the engine's own words.
        exit_code: of the command that failed, where it was one.
    """

    text: str
    exit_code: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The engine went away or talks nonsense.

    Attributes:
        cause: why, as far as we know.
    """

    cause: str


async def listen(stream: AsyncIterator[dict[str, Any]]) -> AsyncGenerator[Said | Refused | Lost, None]:
    """Hand on a progress stream; where it fails, that is its last item instead of an exception.

    A stream that is cut short ends without an item that says so, since the client library hides it: only the
    result proves success.
    """
    from aiodocker import DockerError
    from aiodocker.exceptions import DockerStreamError
    from aiohttp import ClientError
    from aiohttp.http_exceptions import HttpProcessingError

    try:
        async for message in stream:
            yield Said(message)
    except DockerStreamError as error:
        code = error.error_detail.get("code")
        yield Refused(brief(error.message), code if isinstance(code, int) else None)
    except DockerError as error:
        yield no_answer(error) or Refused(brief(error.message))
    except (ClientError, OSError) as error:
        yield Lost(cause_of(error))
    except (HttpProcessingError, ValueError, TypeError, AttributeError, LookupError) as error:
        yield Lost(f"its answer makes no sense ({cause_of(error)})")
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


def no_answer(error: "DockerError") -> Lost | None:
    """Tell an error that means a lost connection from an answer of the engine."""
    return Lost(cause_of(error)) if error.status == _NO_CONNECTION else None


class Transcript:
    """Turns the messages of one stream into the text that a log shows.

    A layer that moves says so many times a second; the log tells only when its status changes.
    """

    def __init__(self) -> None:
        self._status_by_layer: dict[str, str] = {}

    def text_of(self, said: Said) -> str:
        """Write what is new in a message, which may be nothing."""
        match said.message:
            case {"stream": str() as text}:
                return text
            case {"status": str() as status, "id": str() as layer}:
                if self._status_by_layer.get(layer) == status:
                    return ""
                self._status_by_layer[layer] = status
                return f"{layer}: {status}\n"
            case {"status": str() as status}:
                return f"{status}\n"
            case _:
                return ""

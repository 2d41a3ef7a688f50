"""The calls of the API client for logs."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote
from uuid import UUID

from lineshaft.model.errors import ServerError
from lineshaft.sdk.client.calls import Calls
from lineshaft.sdk.client.runs import run_path
from lineshaft.sdk.run import LogPiece
from lineshaft.sdk.stream import OnLost
from lineshaft.sdk.transport import refusal, say_nothing, understood

_OK: Final = 200
_PARTIAL: Final = 206
_RANGE_NOT_SATISFIABLE: Final = 416


class LogCalls(Calls):
    """What a client asks for about logs."""

    def log(
        self, run_id: UUID | str, path: str, *, attempt: int | None = None, start: int = 0
    ) -> Iterator[bytes]:
        """Read a task's log as it is now, in chunks (GET /v1/runs/{id}/nodes/{path}/log).

        Args:
            run_id: whose task.
            path: the task's path.
            attempt: which attempt, from 1; the latest by default.
            start: the offset in bytes at which to begin.

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node, or the node no such attempt.
        """
        headers = {"Accept": "text/plain", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        query = {} if attempt is None else {"attempt": str(attempt)}
        with self._transport.open(_log(run_id, path), params=query, headers=headers) as answer:
            if start and answer.status_code == _RANGE_NOT_SATISFIABLE:
                return
            if answer.status_code != (_PARTIAL if start else _OK):
                raise refusal(answer, run_id)
            yield from answer.iter_bytes()

    def follow_log(
        self,
        run_id: UUID | str,
        path: str,
        *,
        attempt: int | None = None,
        start: int = 0,
        on_lost: OnLost = say_nothing,
    ) -> Iterator[LogPiece]:
        """Go through a task's log as it comes, until the attempt has ended (.../log/stream).

        Each byte comes once and in order, over lost connections, too. The log of a task that has not begun is
        empty and at its end.

        Args:
            run_id: whose task.
            path: the task's path.
            attempt: which attempt, from 1; the latest by default.
            start: the offset in bytes at which to begin.
            on_lost: hears of each lost connection, before the wait for the next.

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node, or the node no such attempt.
        """
        query = {} if attempt is None else {"attempt": str(attempt)}
        path = f"{_log(run_id, path)}/stream"
        stream = self._transport.events(path, str(start or ""), on_lost, subject=run_id, params=query)
        for event in stream:
            piece = understood(event.data, LogPiece.from_document)
            if piece.offset > start:
                raise ServerError(f"The log skips from byte {start} to {piece.offset}.", status=_OK)
            data = piece.data[start - piece.offset :]
            if data:
                yield LogPiece(start, data)
                start += len(data)


def _log(run_id: UUID | str, path: str) -> str:
    return f"{run_path(run_id)}/nodes/{quote(path)}/log"

"""The calls of the API client for workers and their keys."""

import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from lineshaft.model.errors import WorkerNotFoundError
from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.transport import read
from lineshaft.sdk.worker import WorkerView
from lineshaft.sdk.worker_key import WorkerKeyView

LOOK_AGAIN: Final = timedelta(seconds=1)
"""How long to wait before each further look at a worker that drains."""


def _say_nothing(_: WorkerView) -> None:
    """Stand in for whoever does not want to hear of it."""


class WorkerCalls(Calls):
    """What a client asks for about workers and their keys."""

    def workers(self, *, page_size: int = PAGE) -> Iterator[WorkerView]:
        """Go through all workers by name (GET /v1/workers), a page at a time."""
        query = {"limit": str(page_size)}
        return self._transport.pages("/v1/workers", query, "after", WorkerView.from_document)

    def worker(self, name: str) -> WorkerView:
        """Read what a worker offers and what it runs (GET /v1/workers/{name}).

        Raises:
            WorkerNotFoundError: there is none of that name.
        """
        return read(self._transport.request("GET", _worker(name)), WorkerView.from_document)

    def drain_worker(self, name: str) -> WorkerView:
        """Have a worker take no more (POST /v1/workers/{name}/drain); what it runs goes on to its end.

        Raises:
            WorkerNotFoundError: there is none of that name.
        """
        return read(self._transport.request("POST", f"{_worker(name)}/drain"), WorkerView.from_document)

    def wait_until_drained(
        self,
        worker: WorkerView,
        *,
        every: timedelta = LOOK_AGAIN,
        on_look: Callable[[WorkerView], object] = _say_nothing,
    ) -> WorkerView | None:
        """Wait until a worker that drains runs nothing any more, or was started anew.

        Args:
            worker: as `drain_worker` has answered.
            every: how long to wait before each further look.
            on_look: hears of each look at which it still runs something.

        Returns:
            The worker as it is then; None where it is gone.
        """
        session = worker.registered_at
        while worker.running and worker.registered_at == session and not worker.takes_more:
            on_look(worker)
            time.sleep(every.total_seconds())
            try:
                worker = self.worker(worker.name)
            except WorkerNotFoundError:
                return None
        return worker

    def forget_worker(self, name: str) -> None:
        """Take a worker that is offline from the list (DELETE /v1/workers/{name}).

        Raises:
            WorkerNotFoundError: there is none of that name.
            ConflictError: it is not offline.
        """
        self._transport.request("DELETE", _worker(name))

    def create_worker_key(
        self,
        name: str,
        *,
        worker: str | None = None,
        expires_at: datetime | None = None,
        certificate: str | None = None,
        kinds: Collection[str] | None = None,
    ) -> WorkerKeyView:
        """Make a worker key (POST /v1/worker-keys); only this answer holds the key itself.

        Args:
            name: what people call it; unique among worker keys.
            worker: the name of the only worker that may use it; None means any.
            expires_at: from when on it is worth nothing; None means never.
            certificate: the SHA-256 of the only client certificate with which it is good, in hexadecimal.
            kinds: the only kinds of work that it may serve, such as names of drivers; None means any.

        Raises:
            InvalidInputError: a name makes no sense, or the time has passed.
            ConflictError: there is a key of that name.
        """
        expires = None if expires_at is None else expires_at.isoformat()
        body: dict[str, Any] = {
            "name": name,
            "worker": worker,
            "expires_at": expires,
            "certificate": certificate,
        }
        if kinds is not None:
            # Servers of earlier versions refuse what they do not know.
            body["kinds"] = sorted(kinds)
        answer = self._transport.request("POST", "/v1/worker-keys", json=body)
        return read(answer, WorkerKeyView.from_document)

    def worker_keys(self, *, page_size: int = PAGE) -> Iterator[WorkerKeyView]:
        """Go through all worker keys by name (GET /v1/worker-keys), a page at a time."""
        query = {"limit": str(page_size)}
        return self._transport.pages("/v1/worker-keys", query, "after", WorkerKeyView.from_document)

    def revoke_worker_key(self, key_id: UUID | str) -> None:
        """Make a worker key worth nothing (DELETE /v1/worker-keys/{id}).

        Raises:
            NotFoundError: there is none of that id.
        """
        self._transport.request("DELETE", f"/v1/worker-keys/{quote(str(key_id), safe='')}")


def _worker(name: str) -> str:
    return f"/v1/workers/{quote(name, safe='')}"

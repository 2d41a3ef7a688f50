"""A file of pipelines behind a URL."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from lineshaft.definition.encoded import SIZE_LIMIT_BYTES
from lineshaft.integrations.outgoing import OutgoingError
from lineshaft.integrations.outgoing.client import Bounds, OutgoingClient
from lineshaft.model.errors import UnavailableError

BOUNDS: Final = Bounds(time=timedelta(seconds=20), body_bytes=SIZE_LIMIT_BYTES)
"""What a client has to allow for it."""

_PAUSE: Final = timedelta(seconds=60)
_FOUND: Final = 200
_UNCHANGED: Final = 304
_VALIDATORS: Final = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
"""What tells one state of it from another, and how it is asked whether that is still the one (RFC 9110)."""


class PipelinesAtUrl:
    """A file that is asked for again and again; `ports.pipelines_text.PipelinesText`."""

    def __init__(self, url: str, client: OutgoingClient) -> None:
        """Ask for it.

        Args:
            url: where it is; credentials in it are for that host alone, and shown to nobody.
            client: asks; its bounds are `BOUNDS`.
        """
        self._url: Final = url
        self._client: Final = client
        self._known: Mapping[str, str] = {}
        self._text: bytes | None = None

    @property
    def place(self) -> str:
        """Its URL, without what may be secret in it."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def pause(self) -> timedelta:
        """How long to wait from one look to the next."""
        return _PAUSE

    async def changed(self) -> bytes | None:
        """Ask for it, unless it is still the same.

        Raises:
            UnavailableError: nobody answers, or not with it.
        """
        try:
            answer = await self._client.send("GET", self._url, headers=self._known)
        except OutgoingError as error:
            self._forget()
            raise UnavailableError(str(error)) from error
        if answer.status == _UNCHANGED and self._text is not None:
            return None
        if answer.status != _FOUND:
            self._forget()
            raise UnavailableError(f"The answer is HTTP {answer.status}.")
        self._known = {
            asked: answer.headers[said] for said, asked in _VALIDATORS.items() if said in answer.headers
        }
        if answer.body == self._text:
            return None
        self._text = answer.body
        return answer.body

    def _forget(self) -> None:
        self._known, self._text = {}, None

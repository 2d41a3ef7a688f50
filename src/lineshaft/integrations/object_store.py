"""Blobs as objects of an S3 bucket, or of what speaks S3's API."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from lineshaft.model.errors import ConfigurationError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from obstore.store import S3Store

S3_SCHEME: Final = "s3://"

_CHUNK_BYTES: Final = 1 << 20
_PART_BYTES: Final = 8 << 20
"""What is longer goes in parts of this size (S3 wants 5 MiB at least), all else in one request."""

_PARTS_AT_ONCE: Final = 2

_PATIENCE: Final[Any] = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
_CLIENT: Final[Any] = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}

_OPTIONS: Final = {
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
    "AWS_SESSION_TOKEN": "session_token",
    "AWS_REGION": "region",
}
"""What the library calls these; roles and their tokens it finds in the process's environment by itself."""


class ObjectStore:
    """Keeps each blob as an object below a prefix of a bucket; see `ports.blobs.Blobs`.

    S3 shows an object only when all of it has arrived (docs.aws.amazon.com/AmazonS3, consistency model).
    """

    def __init__(self, store: "S3Store", name: str) -> None:
        """Keep blobs in a bucket.

        Args:
            store: the bucket and the prefix in it.
            name: what people call it.
        """
        self._store = store
        self._name = name

    @classmethod
    def open(cls, url: str, environ: Mapping[str, str] = os.environ) -> "ObjectStore":
        """Prepare to use a bucket; nothing is sent yet.

        Args:
            url: `s3://BUCKET` or `s3://BUCKET/PREFIX`.
            environ: tells the region, the credentials and the endpoint by AWS' own names (AWS_REGION,
                AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...); without credentials those of the machine's role.

        Raises:
            ConfigurationError: the URL or the environment makes no sense.
        """
        from obstore.exceptions import BaseError  # A library of 15 MB, which only such servers need.
        from obstore.store import S3Store  # As above.

        endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
        options: Any = {"region": "us-east-1"}
        options |= {option: environ[name] for name, option in _OPTIONS.items() if name in environ}
        if endpoint:
            options["endpoint"] = endpoint
        client: Any = {**_CLIENT, "allow_http": bool(endpoint and endpoint.startswith("http://"))}
        try:
            store = S3Store.from_url(
                url,
                config=options,
                client_options=client,
                retry_config=_PATIENCE,
            )
        except (BaseError, ValueError) as error:
            raise ConfigurationError(
                f"Blobs cannot be kept in {url}: {_words(error)}.",
                advice="Write s3://BUCKET/PREFIX, and set AWS_REGION and the credentials.",
            ) from error
        return cls(store, url)

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store the chunks, joined, durably and atomically.

        Returns:
            The number of bytes stored.

        Raises:
            UnavailableError: the bucket cannot be written to.
        """
        source = _Source(chunks)
        first = await source.part()
        with self._explained(f"there is no bucket of this name to put '{key}' in"):
            if source.ended:
                await self._store.put_async(key, first, use_multipart=False)
            else:
                await self._store.put_async(
                    key, source.from_the_first(first), chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE
                )
        return source.size

    async def read(self, key: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Read the bytes from `start` up to `stop`, in chunks of at most 1 MiB.

        Raises:
            NotFoundError: there is no such blob.
            UnavailableError: the bucket cannot be read.
        """
        if start >= stop:
            return
        with self._explained():
            answer = await self._store.get_async(key, options={"range": (start, stop)})
            stream = answer.stream(min_chunk_size=_CHUNK_BYTES)
        while True:
            with self._explained():
                chunk = await anext(stream, None)
            if chunk is None:
                return
            view = memoryview(chunk)
            for offset in range(0, len(view), _CHUNK_BYTES):
                yield bytes(view[offset : offset + _CHUNK_BYTES])

    async def delete(self, key: str) -> None:
        """Remove a blob; nothing happens when there is none.

        Raises:
            UnavailableError: the bucket cannot be written to.
        """
        with suppress(NotFoundError), self._explained():
            await self._store.delete_async(key)

    async def check(self) -> None:
        """See whether the bucket is there and can be listed.

        Raises:
            UnavailableError: it is not, or it cannot.
        """
        with self._explained("there is no bucket of this name"):
            await anext(aiter(self._store.list(chunk_size=1)), None)

    @contextmanager
    def _explained(self, missing: str = "") -> Iterator[None]:
        """Put the library's errors into our words.

        Args:
            missing: what it means when something is not found; empty where that may be said to the caller.
        """
        from obstore.exceptions import BaseError  # See `open`.

        try:
            yield
        except (BaseError, OSError) as error:
            if isinstance(error, FileNotFoundError) and not missing:
                raise NotFoundError(f"There is no such blob in {self._name}.") from None
            words = missing if isinstance(error, FileNotFoundError) else _words(error)
            raise UnavailableError(
                f"{self._name} cannot be used: {words}.",
                advice="Check the bucket, the credentials, and that its endpoint can be reached.",
            ) from error


class _Source:
    """The chunks of a blob, gathered into parts, and how many bytes they were.

    What the chunks' source raises is raised as it is, however the library would have wrapped it.
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0
        self.ended = False

    async def part(self) -> bytes:
        """Gather the next part; a short one is the last."""
        part = bytearray()
        while len(part) <= _PART_BYTES:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                self.ended = True
                break
            part += chunk
        self.size += len(part)
        return bytes(part)

    async def from_the_first(self, first: bytes) -> AsyncGenerator[bytes, None]:
        """Go through the parts, the first of which was gathered already."""
        yield first
        while not self.ended:
            yield await self.part()


def _words(error: Exception) -> str:
    """Say the first line of what the library says; behind it stands how the error is made up."""
    return str(error).partition("\n")[0].strip().rstrip(".")

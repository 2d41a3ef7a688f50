"""What only blobs in a bucket do."""

import socket
from collections.abc import AsyncIterator, Mapping

import pytest

from lineshaft.integrations.object_store import ObjectStore
from lineshaft.model.errors import ConfigurationError, UnavailableError


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def test_an_address_that_is_none_of_a_bucket_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="s4://logs"):
        ObjectStore.open("s4://logs", {})


async def test_a_bucket_that_cannot_be_reached_is_unavailable() -> None:
    with socket.socket() as nobody:
        # Bound and not listening: whoever connects is refused, and nobody else can take the port.
        nobody.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        blobs = ObjectStore.open(
            "s3://logs",
            {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
        )

        with pytest.raises(UnavailableError, match="s3://logs cannot be used"):
            await blobs.put("logs/1", _chunks(b"x"))


async def test_a_bucket_that_does_not_exist_is_unavailable_and_not_an_absent_blob(
    s3: Mapping[str, str],
) -> None:
    blobs = ObjectStore.open("s3://nowhere", s3)

    with pytest.raises(UnavailableError, match="s3://nowhere cannot be used"):
        await blobs.put("logs/1", _chunks(b"x"))
    with pytest.raises(UnavailableError, match="s3://nowhere cannot be used"):
        await blobs.check()

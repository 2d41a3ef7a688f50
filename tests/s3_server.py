"""A server of S3's API for tests."""

from collections.abc import Iterator, Mapping

import httpx2
import pytest

BUCKET = "lineshaft"


@pytest.fixture(scope="session")
def s3() -> Iterator[Mapping[str, str]]:
    """Run a server of S3's API with a bucket, and give the environment in which it is found."""
    from moto.server import ThreadedMotoServer  # It takes a second to load, and few tests need it.

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    # This server checks no signatures.
    httpx2.put(f"{endpoint}/{BUCKET}", timeout=60).raise_for_status()
    yield {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }
    server.stop()

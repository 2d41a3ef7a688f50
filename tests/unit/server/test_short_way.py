"""Which calls of workers go the short way."""

from typing import Any

import pytest

from lineshaft.server.routes.worker_protocol import endpoint_of
from lineshaft.wire.message import LEASE_HEADER

RUN = "019a9f40-11aa-7c20-8c55-2f0a9d3c7e01"
LOG = f"/v1/worker/runs/{RUN}/nodes/3/attempts/1/log"
LEASE = (LEASE_HEADER.lower().encode(), b"token")


def scope(method: str, path: str, query: bytes = b"", *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "query_string": query, "headers": [*headers]}


@pytest.mark.parametrize("name", ["claim", "heartbeat", "source", "report"])
def test_what_is_posted_for_each_task_goes_the_short_way(name: str) -> None:
    assert endpoint_of(scope("POST", f"/v1/worker/{name}")) is not None


def test_what_is_appended_to_a_log_goes_the_short_way() -> None:
    assert endpoint_of(scope("PUT", LOG, b"offset=12", LEASE)) is not None


@pytest.mark.parametrize(
    "asked",
    [
        scope("GET", "/v1/worker/claim"),
        scope("POST", "/v1/worker/claim", b"slots=1"),
        scope("POST", "/v1/worker/register"),
        scope("POST", "/v1/worker/else"),
        scope("POST", "/v1/workers"),
        scope("GET", f"/v1/runs/{RUN}"),
        scope("PUT", LOG, b"offset=12"),
        scope("PUT", LOG, b"offset=12", LEASE, LEASE),
        scope("PUT", LOG, b"", LEASE),
        scope("PUT", LOG, b"offset=-1", LEASE),
        scope("PUT", LOG, b"offset=1&offset=2", LEASE),
        scope("PUT", LOG, b"offset=9999999999999999", LEASE),
        scope("PUT", LOG.replace("attempts/1", "attempts/0"), b"offset=0", LEASE),
        scope("PUT", LOG.replace("nodes/3", "nodes/3000000000"), b"offset=0", LEASE),
        scope("PUT", LOG.replace(RUN, "1"), b"offset=0", LEASE),
        scope("PUT", f"{LOG}/", b"offset=0", LEASE),
        scope("POST", LOG, b"offset=0", LEASE),
    ],
)
def test_whatever_is_not_plainly_one_of_them_goes_the_long_way(asked: dict[str, Any]) -> None:
    assert endpoint_of(asked) is None

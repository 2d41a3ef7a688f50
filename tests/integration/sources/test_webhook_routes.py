"""The routes of webhooks and deliveries."""

from uuid import UUID

import httpx2
import pytest

from delivery_site import DeliverySite, pushed
from forge_calls import GITHUB, SECRET, forge_call, payload
from http_server import http_server
from planes import PASSWORD, USERNAME

ADMIN = (USERNAME, PASSWORD)


async def post(
    api: httpx2.AsyncClient, document: object, *, kind: str = "github", secret: str = SECRET
) -> httpx2.Response:
    call = forge_call(GITHUB, "push", document, secret=secret)
    return await api.post(f"/v1/webhooks/{kind}", content=call.body, headers=dict(call.headers))


async def test_a_webhook_needs_nothing_but_its_signature(deliveries: DeliverySite) -> None:
    async with http_server(deliveries.plane) as url, httpx2.AsyncClient(base_url=url, timeout=60) as api:
        answer = await post(api, pushed("b" * 40))

        assert answer.status_code == 202
        assert answer.json()["state"] == "received"
        assert (await api.get(f"/v1/deliveries/{answer.json()['id']}")).status_code == 401
        shown = await api.get(f"/v1/deliveries/{answer.json()['id']}", auth=ADMIN)
        assert shown.json()["changes"][0]["commit"] == "b" * 40


@pytest.mark.parametrize(
    ("kind", "secret", "status"),
    [("github", "wrong", 401), ("gitlab", SECRET, 401), ("git", SECRET, 404), ("other", SECRET, 404)],
)
async def test_a_webhook_of_nobody_is_refused(
    deliveries: DeliverySite, kind: str, secret: str, status: int
) -> None:
    async with http_server(deliveries.plane) as url, httpx2.AsyncClient(base_url=url, timeout=60) as api:
        answer = await post(api, pushed("b" * 40), kind=kind, secret=secret)

        assert answer.status_code == status
        assert (await api.get("/v1/deliveries", auth=ADMIN)).json() == {"items": [], "next": None}


async def test_a_body_that_is_too_long_is_refused(deliveries: DeliverySite) -> None:
    async with http_server(deliveries.plane) as url, httpx2.AsyncClient(base_url=url, timeout=60) as api:
        answer = await api.post("/v1/webhooks/github", content=bytes(25 * 1024 * 1024 + 1))

        assert answer.status_code == 413


async def test_what_is_not_of_interest_is_answered_with_the_reason(deliveries: DeliverySite) -> None:
    async with http_server(deliveries.plane) as url, httpx2.AsyncClient(base_url=url, timeout=60) as api:
        call = forge_call(GITHUB, "ping", payload(GITHUB, "ping"))
        answer = await api.post("/v1/webhooks/github", content=call.body, headers=dict(call.headers))

        assert answer.status_code == 202
        assert answer.json()["state"] == "handled"
        assert answer.json()["text"]


async def test_deliveries_are_listed_a_page_at_a_time_and_delivered_again(deliveries: DeliverySite) -> None:
    pipeline = await deliveries.pipeline()
    commit = deliveries.repository.commit({"a": "1"})
    older = await deliveries.push(commit)
    newer = await deliveries.push("b" * 40, "refs/heads/x")
    async with (
        http_server(deliveries.plane) as url,
        httpx2.AsyncClient(base_url=url, timeout=60, auth=ADMIN) as api,
    ):
        first = (await api.get("/v1/deliveries", params={"limit": 1})).json()
        second = (await api.get("/v1/deliveries", params={"before": first["next"]})).json()
        of_pipeline = (await api.get("/v1/deliveries", params={"pipeline": str(pipeline.id)})).json()
        again = await api.post(f"/v1/deliveries/{older.id}/redeliver")

        assert [each["id"] for each in first["items"]] == [str(newer.id)]
        assert [each["id"] for each in second["items"]] == [str(older.id)]
        assert len(of_pipeline["items"]) == 2
        assert again.status_code == 202
        assert again.json()["redelivers"] == str(older.id)
        assert again.headers["location"] == f"/v1/deliveries/{again.json()['id']}"
        assert (await api.get("/v1/deliveries", params={"pipelin": "x"})).status_code == 422
        assert (await api.post(f"/v1/deliveries/{UUID(int=1)}/redeliver")).status_code == 404

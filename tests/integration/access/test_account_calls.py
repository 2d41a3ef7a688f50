"""Users, grants and tokens over HTTP: what is answered, and what is refused by the name of its field."""

import json
import logging

import httpx2
import pytest

from accounts import SECRET, Accounts
from http_problems import problem
from lineshaft.model.role import Role

USER = {"name": "ada", "password": SECRET}


async def test_a_user_is_made_shown_listed_changed_and_deleted(accounts: Accounts) -> None:
    async with accounts.client() as api:
        made = await api.post(
            "/v1/users", json={"name": "ada+ci@x.org", "password": SECRET, "role": "runner"}
        )
        shown = await api.get(made.headers["location"])
        listed = await api.get("/v1/users")
        changed = await api.patch(made.headers["location"], json={"role": None})
        deleted = await api.delete(made.headers["location"])
        gone = await api.get(made.headers["location"])

    assert (made.status_code, made.headers["location"]) == (201, "/v1/users/ada%2Bci%40x.org")
    assert shown.json() == {**made.json(), "grants": []}
    assert [item["name"] for item in listed.json()["items"]] == ["ada+ci@x.org", "admin"]
    assert (changed.status_code, changed.json()["role"]) == (200, None)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert "No user is named 'ada+ci@x.org'" in problem(gone, 404)["detail"]


async def test_lists_have_pages(accounts: Accounts) -> None:
    shop = await accounts.pipeline()
    async with accounts.client() as api:
        for name in ("b", "a"):
            await accounts.user(name)
            await api.put(f"/v1/pipelines/{shop}/grants/{name}", json={"role": "viewer"})
            await api.post("/v1/tokens", json={"name": name})
        for path, key, everyone in (
            ("/v1/users", "name", ["a", "admin", "b"]),
            (f"/v1/pipelines/{shop}/grants", "user", ["a", "b"]),
            ("/v1/tokens", "name", ["a", "b"]),
        ):
            found: list[str] = []
            query: dict[str, str] | None = {"limit": "1"}
            while query is not None:
                page = (await api.get(path, params=query)).json()
                found += [item[key] for item in page["items"]]
                query = None if page["next"] is None else {**query, "after": page["next"]}
            assert found == everyone


async def test_who_calls_is_told_with_what_the_token_leaves(accounts: Accounts) -> None:
    await accounts.user("ada")
    shop, other = await accounts.pipeline(), await accounts.pipeline("other")
    async with accounts.client() as api:
        for pipeline in (shop, other):
            await api.put(f"/v1/pipelines/{pipeline}/grants/ada", json={"role": "maintainer"})
    async with accounts.client("ada") as api:
        by_password = (await api.get("/v1/me")).json()
        token = (await api.post("/v1/tokens", json={"name": "ci", "pipelines": [str(shop)]})).json()
    async with accounts.bearer(token.pop("token")) as api:
        by_token = (await api.get("/v1/me")).json()

    grants = [
        {"pipeline_id": str(each), "pipeline": name, "role": "maintainer"}
        for each, name in ((other, "other"), (shop, "shop"))
    ]
    assert by_password == {"name": "ada", "means": "password", "role": None, "grants": grants, "token": None}
    assert (by_token["means"], by_token["grants"]) == ("token", grants[1:])
    assert {**by_token["token"], "last_used_at": None} == {**token, "last_used_at": None}


async def test_a_password_that_is_changed_is_the_only_one_from_then_on(accounts: Accounts) -> None:
    await accounts.user("ada")
    body = {"password": SECRET, "new_password": "another password"}
    async with accounts.client("ada") as api:
        changed = await api.put("/v1/me/password", json=body)
        again = await api.get("/v1/me")
        other = await api.get("/v1/me", auth=("ada", "another password"))

    assert [answer.status_code for answer in (changed, again, other)] == [204, 401, 200]


async def test_a_token_cannot_change_its_users_password(accounts: Accounts) -> None:
    await accounts.user("ada", Role.ADMIN)
    async with accounts.client("ada") as api:
        token = (await api.post("/v1/tokens", json={"name": "ci", "role": "admin"})).json()["token"]
    async with accounts.bearer(token) as api:
        body = {"password": SECRET, "new_password": "another password"}
        problem(await api.put("/v1/me/password", json=body), 403)
        problem(await api.patch("/v1/users/ada", json={"password": "another password"}), 403)
        assert (await api.patch("/v1/users/ada", json={"role": "admin"})).status_code == 200


async def test_a_token_is_told_once_and_kept_nowhere_on_its_way(accounts: Accounts) -> None:
    async with accounts.client() as api:
        made = await api.post("/v1/tokens", json={"name": "ci", "expires_at": None})
        listed = await api.get("/v1/tokens")

    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert (made.json()["expires_at"], made.json()["role"]) == (None, "runner")
    assert made.json()["token"] not in listed.text
    assert "hash" not in listed.text


async def test_who_is_disabled_or_deleted_is_let_in_no_more(accounts: Accounts) -> None:
    for end in ("disable", "delete"):
        await accounts.user("ada", Role.RUNNER)
        async with accounts.client("ada") as ada, accounts.client() as api:
            token = (await ada.post("/v1/tokens", json={"name": "ci"})).json()["token"]
            async with accounts.bearer(token) as program:
                assert (await program.get("/v1/me")).status_code == 200
                if end == "disable":
                    await api.patch("/v1/users/ada", json={"disabled": True})
                else:
                    await api.delete("/v1/users/ada")
                assert (await program.get("/v1/me")).status_code == 401
                assert (await ada.get("/v1/me")).status_code == 401
            await api.delete("/v1/users/ada")


async def test_a_role_that_is_given_or_taken_holds_at_once(accounts: Accounts) -> None:
    await accounts.user("ada")
    shop = await accounts.pipeline()
    async with accounts.client("ada") as ada, accounts.client() as api:
        unseen = await ada.get(f"/v1/pipelines/{shop}")
        await api.put(f"/v1/pipelines/{shop}/grants/ada", json={"role": "viewer"})
        seen = await ada.get(f"/v1/pipelines/{shop}")
        forbidden = await ada.put(f"/v1/pipelines/{shop}/grants/ada", json={"role": "maintainer"})
        await api.delete(f"/v1/pipelines/{shop}/grants/ada")
        unseen_again = await ada.get(f"/v1/pipelines/{shop}")

    statuses = [each.status_code for each in (unseen, seen, forbidden, unseen_again)]
    assert statuses == [404, 200, 403, 404]


async def test_conflicts_are_told_as_such(accounts: Accounts) -> None:
    await accounts.user("ada")
    async with accounts.client() as api:
        await api.post("/v1/tokens", json={"name": "ci"})
        twice = [await api.post("/v1/users", json=USER), await api.post("/v1/tokens", json={"name": "ci"})]

    assert ["There is a user named 'ada'" in problem(twice[0], 409)["detail"]] == [True]
    assert "has a token named 'ci'" in problem(twice[1], 409)["detail"]


async def test_neither_passwords_nor_tokens_are_logged(
    accounts: Accounts, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with accounts.client() as api:
        await api.post("/v1/users", json=USER)
        await api.post("/v1/users", json={**USER, "role": "king"})
        await api.patch("/v1/users/ada", json={"password": "another password"})
        token = (await api.post("/v1/tokens", json={"name": "ci"})).json()["token"]
    async with accounts.bearer(token) as program:
        await program.get("/v1/me")
        await program.get("/v1/users/nobody")

    for secret in (SECRET, "another password", token):
        assert secret not in caplog.text


def test_the_requests_of_a_user_do_not_show_passwords() -> None:
    from lineshaft.server.account_requests import NewUserRequest, OwnPasswordRequest, UserChangeRequest

    for kind, body in (
        (NewUserRequest, USER),
        (UserChangeRequest, {"password": SECRET}),
        (OwnPasswordRequest, {"password": SECRET, "new_password": SECRET}),
    ):
        assert SECRET not in repr(kind.model_validate_json(json.dumps(body), strict=True))


async def test_a_stranger_is_told_nothing(accounts: Accounts) -> None:
    async with httpx2.AsyncClient(base_url=accounts.url, timeout=60) as stranger:
        for method, path in (
            ("GET", "/v1/me"),
            ("GET", "/v1/users"),
            ("GET", "/v1/users/admin"),
            ("GET", "/v1/tokens"),
            ("POST", "/v1/tokens"),
        ):
            assert (await stranger.request(method, path)).status_code == 401


async def test_whoever_is_no_admin_looks_after_no_users(accounts: Accounts) -> None:
    await accounts.user("ada", Role.MAINTAINER)
    async with accounts.client("ada") as api:
        for method, path in (
            ("GET", "/v1/users"),
            ("POST", "/v1/users"),
            ("GET", "/v1/users/ada"),
            ("PATCH", "/v1/users/ada"),
            ("DELETE", "/v1/users/ada"),
            ("GET", "/v1/tokens?user=admin"),
        ):
            problem(await api.request(method, path, content=b"{}"), 403)

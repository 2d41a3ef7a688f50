"""Resources and their definitions over HTTP."""

import time
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from http_pipelines import Document
from http_problems import fields, problem
from lineshaft.server.resource_documents import (
    ResourceChangeDocument,
    ResourceDefinitionDocument,
    ResourceDocument,
    ResourceVersionDocument,
)
from lineshaft.wire.driver import DriverMessage
from lineshaft.wire.message import PROTOCOL_HEADER, PROTOCOL_VERSION
from lineshaft.wire.worker import Hello

SCHEMA = {
    "type": "object",
    "required": ["image"],
    "properties": {"image": {"type": "string"}, "replicas": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
SPEC = {"image": "shop", "replicas": 2}
ALONGSIDE = {"If-None-Match": "*"}

_names = iter(range(1_000_000))


def new_name(what: str) -> str:
    return f"{what}-{time.time_ns()}-{next(_names)}"


@pytest.fixture
def type_name(api: httpx2.Client) -> str:
    """A type that no driver serves."""
    name = new_name("app")
    answer = api.put(f"/v1/resource-definitions/{name}", json={"schema": SCHEMA})
    assert answer.status_code == 200, answer.text
    return name


def pipeline_for(api: httpx2.Client, type_name: str) -> str:
    """Make a pipeline that takes resources of a type, whose driver never comes."""
    name = new_name("conveyor")
    document = {
        "name": name,
        "resource": type_name,
        "steps": [{"name": "compile", "driver": new_name("compile")}],
    }
    answer = api.post("/v1/pipelines", json=document)
    assert answer.status_code == 201, answer.text
    return name


def create(api: httpx2.Client, type_name: str, name: str = "shop", **members: Any) -> Document:
    answer = api.post(f"/v1/resources/{type_name}", json={"name": name, "spec": SPEC, **members})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def names(api: httpx2.Client, path: str, query: Mapping[str, Any]) -> list[str]:
    answer = api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


class TestDefinitions:
    def test_one_that_is_created_is_shown_as_it_was_given(self, api: httpx2.Client) -> None:
        name = new_name("app")
        body = {"name": name, "description": "An app.", "schema": SCHEMA, "resync": "90m"}

        answer = api.post("/v1/resource-definitions", json=body)

        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == f"/v1/resource-definitions/{name}"
        assert answer.headers["etag"] == '"1"'
        shown = api.get(answer.headers["location"]).json()
        assert shown == answer.json()
        assert shown | {"created_at": "", "updated_at": ""} == {
            **body,
            "resync": "1h30m",
            "version": 1,
            "created_at": "",
            "updated_at": "",
        }
        assert ResourceDefinitionDocument.model_validate(shown).model_dump(mode="json") == shown

    def test_one_that_is_there_is_not_created_again(self, api: httpx2.Client, type_name: str) -> None:
        answer = api.post("/v1/resource-definitions", json={"name": type_name, "schema": {}})

        assert problem(answer, 409)["advice"]

    def test_putting_one_replaces_it_and_counts_its_version(self, api: httpx2.Client, type_name: str) -> None:
        path = f"/v1/resource-definitions/{type_name}"

        changed = api.put(path, json={"name": type_name, "schema": {}}, headers={"If-Match": '"1"'})
        late = api.put(path, json={"schema": SCHEMA}, headers={"If-Match": '"1"'})

        assert (changed.status_code, changed.json()["version"]) == (200, 2)
        assert problem(late, 412)["version"] == 2

    def test_a_body_that_names_another_type_than_the_path_is_refused(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        answer = api.put(f"/v1/resource-definitions/{type_name}", json={"name": "other", "schema": {}})

        assert fields(problem(answer, 422)) == ["/name"]

    def test_what_is_wrong_with_a_schema_is_named_by_a_json_pointer(self, api: httpx2.Client) -> None:
        schema = {"properties": {"a": {"type": "strange"}}}

        answer = api.put(f"/v1/resource-definitions/{new_name('app')}", json={"schema": schema})

        document = problem(answer, 400)
        assert document["type"].endswith(":schema-refused")
        assert fields(document) == ["/schema/properties/a/type"]

    @pytest.mark.parametrize("resync", ["", "x", "12", "1h1d", "5s", "99999999d", 60])
    def test_an_interval_that_is_none_or_too_short_is_refused(self, api: httpx2.Client, resync: Any) -> None:
        body = {"schema": {}, "resync": resync}

        answer = api.put(f"/v1/resource-definitions/{new_name('app')}", json=body)

        assert [each.strip("/") for each in fields(problem(answer, 422))] == ["resync"]

    def test_the_list_goes_by_name_a_page_at_a_time(self, api: httpx2.Client) -> None:
        made = sorted(new_name("paged") for _ in range(3))
        for each in made:
            api.put(f"/v1/resource-definitions/{each}", json={"schema": {}})

        before = made[0][:-1]
        first = api.get("/v1/resource-definitions", params={"limit": 2, "after": before}).json()
        second = api.get("/v1/resource-definitions", params={"limit": 1, "after": first["next"]}).json()

        assert [item["name"] for item in [*first["items"], *second["items"]]] == made

    def test_one_with_resources_is_not_deleted(self, api: httpx2.Client, type_name: str) -> None:
        create(api, type_name)
        path = f"/v1/resource-definitions/{type_name}"

        refused = api.delete(path)
        api.delete(f"/v1/resources/{type_name}/shop")
        deleted = api.delete(path, headers={"If-Match": '"1"'})

        assert problem(refused, 409)["advice"]
        assert deleted.status_code == 204
        problem(api.get(path), 404)


class TestChanges:
    def test_a_resource_that_names_a_pipeline_starts_a_run_of_it(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        pipeline = pipeline_for(api, type_name)

        made = create(api, type_name, pipeline=pipeline, metadata={"channel": "stable"})

        assert made["event"] == "created"
        assert made["run_id"] == made["started_run_id"]
        assert (made["version"], made["observed_version"], made["run_version"]) == (1, 0, 1)
        run = api.get(f"/v1/runs/{made['started_run_id']}").json()
        assert run["cause"] == "resource"
        assert run["resource"] == {"type": type_name, "name": "shop", "version": 1, "event": "created"}
        assert ResourceChangeDocument.model_validate(made).model_dump(mode="json") == made

    def test_a_resource_of_which_no_driver_hears_has_no_run(self, api: httpx2.Client, type_name: str) -> None:
        made = create(api, type_name)

        assert (made["event"], made["run_id"], made["started_run_id"], made["state"]) == (
            "created",
            None,
            None,
            None,
        )

    def test_what_is_made_is_where_the_answer_says(self, api: httpx2.Client, type_name: str) -> None:
        answer = api.post(f"/v1/resources/{type_name}", json={"name": "shop", "spec": SPEC})

        shown = api.get(answer.headers["location"])

        assert shown.headers["etag"] == answer.headers["etag"] == '"1"'
        assert shown.json()["spec"] == SPEC
        assert ResourceDocument.model_validate(shown.json()).model_dump(mode="json") == shown.json()

    def test_one_that_is_there_is_not_created_again(self, api: httpx2.Client, type_name: str) -> None:
        create(api, type_name)

        answer = api.post(f"/v1/resources/{type_name}", json={"name": "shop", "spec": SPEC})

        problem(answer, 409)

    def test_where_a_spec_does_not_fit_each_place_is_named_by_a_json_pointer(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        spec = {"replicas": 0, "a/b": 1}

        answer = api.post(f"/v1/resources/{type_name}", json={"name": "shop", "spec": spec})

        document = problem(answer, 400)
        assert document["type"].endswith(":spec-misfit")
        assert "/spec/replicas" in fields(document)
        assert all(each["message"] for each in document["errors"])

    def test_putting_one_makes_it_and_then_replaces_it(self, api: httpx2.Client, type_name: str) -> None:
        path = f"/v1/resources/{type_name}/shop"

        made = api.put(path, json={"spec": SPEC})
        same = api.put(path, json={"spec": SPEC})
        changed = api.put(path, json={"name": "shop", "spec": {"image": "other"}})

        assert (made.status_code, same.status_code, changed.status_code) == (201, 200, 200)
        assert made.headers["location"] == path
        assert [each.json()["event"] for each in (made, same, changed)] == ["created", None, "updated"]
        assert [each.headers["etag"] for each in (made, same, changed)] == ['"1"', '"1"', '"2"']

    def test_a_patch_changes_what_it_says_and_removes_what_is_null(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        create(api, type_name, metadata={"channel": "stable", "team": "a"})

        answer = api.patch(
            f"/v1/resources/{type_name}/shop",
            json={"spec": {"replicas": None}, "metadata": {"channel": None, "tier": "1"}},
            headers={"Content-Type": "application/merge-patch+json"},
        )

        assert answer.status_code == 200, answer.text
        changed = answer.json()
        assert (changed["spec"], changed["metadata"]) == ({"image": "shop"}, {"team": "a", "tier": "1"})
        assert (changed["version"], changed["event"]) == (2, "updated")

    @pytest.mark.parametrize(
        ("patch", "status", "field"),
        [
            ({"spec": {"image": 1}}, 400, "/spec/image"),
            ({"spec": [1]}, 422, "spec"),
            ({"metadata": {"a": 1}}, 422, "metadata.a"),
            ({"pipeline": "nowhere"}, 422, "/pipeline"),
            ({"name": "other"}, 422, "name"),
            ({"version": 7}, 422, "version"),
        ],
    )
    def test_a_patch_that_leaves_no_such_resource_is_refused(
        self, api: httpx2.Client, type_name: str, patch: Document, status: int, field: str
    ) -> None:
        create(api, type_name)

        answer = api.patch(f"/v1/resources/{type_name}/shop", json=patch)

        assert fields(problem(answer, status)) == [field]
        assert api.get(f"/v1/resources/{type_name}/shop").json()["version"] == 1

    def test_deleting_one_makes_a_last_version_and_frees_the_name(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        made = create(api, type_name, pipeline=pipeline_for(api, type_name))
        path = f"/v1/resources/{type_name}/shop"

        answer = api.delete(path)

        gone = answer.json()
        assert answer.status_code == 200, answer.text
        assert (gone["event"], gone["deleted"], gone["version"]) == ("deleted", True, 2)
        assert gone["started_run_id"] not in (None, made["run_id"])
        problem(api.get(path), 404)
        assert create(api, type_name)["id"] != made["id"]

    def test_a_pipeline_that_does_not_take_the_type_is_refused(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        body = {"name": "shop", "spec": SPEC, "pipeline": pipeline_for(api, "another")}

        answer = api.post(f"/v1/resources/{type_name}", json=body)

        assert fields(problem(answer, 422)) == ["/pipeline"]

    def test_a_resync_brings_it_along_once_more_without_a_new_version(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        made = create(api, type_name, pipeline=pipeline_for(api, type_name))

        answer = api.post(f"/v1/resources/{type_name}/shop/resync")

        again = answer.json()
        assert answer.status_code == 202, answer.text
        assert (again["event"], again["version"]) == ("resynced", 1)
        assert again["started_run_id"] not in (None, made["run_id"])

    def test_all_of_a_type_are_resynced_by_one_call(self, api: httpx2.Client, type_name: str) -> None:
        for each in ("a", "b"):
            create(api, type_name, each)

        answer = api.post(f"/v1/resources/{type_name}/resync")

        assert (answer.status_code, answer.json()) == (202, {"count": 2})


class TestConditions:
    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("match", ['"7"', '"1", "7"', 'W/"2"', '"x"'])
    def test_a_change_on_top_of_another_version_is_412_and_changes_nothing(
        self, api: httpx2.Client, type_name: str, method: str, match: str
    ) -> None:
        create(api, type_name)
        path = f"/v1/resources/{type_name}/shop"
        api.patch(path, json={"spec": {"replicas": 3}})

        answer = _change(api, method, path, {"If-Match": match})

        assert problem(answer, 412)["version"] == 2
        assert api.get(path).json()["version"] == 2

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("match", ['"1"', '"7", "1"', "*"])
    def test_a_change_on_top_of_the_version_that_is_there_happens(
        self, api: httpx2.Client, type_name: str, method: str, match: str
    ) -> None:
        create(api, type_name)

        answer = _change(api, method, f"/v1/resources/{type_name}/shop", {"If-Match": match})

        assert answer.json()["version"] == 2

    @pytest.mark.parametrize("headers", [{"If-Match": "*"}, {"If-Match": '"1"'}])
    def test_what_must_be_there_is_not_made(
        self, api: httpx2.Client, type_name: str, headers: Mapping[str, str]
    ) -> None:
        answer = api.put(f"/v1/resources/{type_name}/shop", json={"spec": SPEC}, headers=dict(headers))

        assert problem(answer, 412)["version"] == 0

    def test_what_must_not_be_there_is_made_once(self, api: httpx2.Client, type_name: str) -> None:
        path = f"/v1/resources/{type_name}/shop"

        made = api.put(path, json={"spec": SPEC}, headers=ALONGSIDE)
        again = api.put(path, json={"spec": SPEC}, headers=ALONGSIDE)

        assert made.status_code == 201
        assert problem(again, 412)["version"] == 1

    @pytest.mark.parametrize(
        "headers",
        [{"If-Match": "1"}, {"If-Match": ","}, {"If-None-Match": '"1"'}, {**ALONGSIDE, "If-Match": "*"}],
    )
    def test_a_header_that_says_nothing_of_the_kind_is_refused(
        self, api: httpx2.Client, type_name: str, headers: Mapping[str, str]
    ) -> None:
        answer = api.put(f"/v1/resources/{type_name}/shop", json={"spec": SPEC}, headers=dict(headers))

        assert fields(problem(answer, 422))[0].startswith("If-")


def _change(api: httpx2.Client, method: str, path: str, headers: Mapping[str, str]) -> httpx2.Response:
    body = None if method == "DELETE" else {"spec": {"image": "other"}}
    return api.request(method, path, json=body, headers=dict(headers))


class TestReading:
    def test_the_list_of_a_type_goes_by_name_a_page_at_a_time(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        for each in ("c", "a", "b"):
            create(api, type_name, each)
        path = f"/v1/resources/{type_name}"

        first = api.get(path, params={"limit": 2}).json()
        second = api.get(path, params={"limit": 2, "after": first["next"]}).json()

        assert [item["name"] for item in first["items"]] == ["a", "b"]
        assert [item["name"] for item in second["items"]] == ["c"]
        assert second["next"] is None

    def test_lists_are_narrowed_by_pipeline_state_and_metadata(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        pipeline = pipeline_for(api, type_name)
        made = create(api, type_name, "carried", pipeline=pipeline)
        create(api, type_name, "stable", metadata={"channel": "stable", "team": "x=y"})
        create(api, type_name, "beta", metadata={"channel": "beta"})
        state = api.get(f"/v1/resources/{type_name}/carried").json()["state"]
        path = f"/v1/resources/{type_name}"

        assert names(api, "/v1/resources", {"pipeline": pipeline}) == ["carried"]
        assert names(api, path, {"state": [state, "failed"]}) == ["carried"]
        assert names(api, path, {"state": "succeeded"}) == []
        assert names(api, path, {"metadata": "channel=stable"}) == ["stable"]
        assert names(api, path, {"metadata": ["channel=stable", "team=x=y"]}) == ["stable"]
        assert names(api, path, {"metadata": ["channel=stable", "team=z"]}) == []
        assert made["state"] == state

    @pytest.mark.parametrize(
        "query",
        [
            {"state": "asleep"},
            {"metadata": "channel"},
            {"metadata": ["a=1", "a=2"]},
            {"metadata": 'a"b=1'},
            {"after": "x"},
            {"colour": "red"},
        ],
    )
    def test_a_question_that_makes_no_sense_is_refused(
        self, api: httpx2.Client, query: Mapping[str, Any]
    ) -> None:
        problem(api.get("/v1/resources", params=query), 422)

    def test_versions_are_listed_newest_first_and_each_can_be_read(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        create(api, type_name)
        path = f"/v1/resources/{type_name}/shop"
        for replicas in (3, 4):
            api.patch(path, json={"spec": {"replicas": replicas}})

        first = api.get(f"{path}/versions", params={"limit": 2}).json()
        second = api.get(f"{path}/versions", params={"before": first["next"]}).json()
        one = api.get(f"{path}/1").json()

        told = [(each["version"], each["event"]) for each in [*first["items"], *second["items"]]]
        assert told == [(3, "updated"), (2, "updated"), (1, "created")]
        assert second["next"] is None
        assert (one["spec"], one["event"]) == (SPEC, "created")
        assert ResourceVersionDocument.model_validate(one).model_dump(mode="json") == one

    @pytest.mark.parametrize("path", ["", "/versions", "/1", "/resync"])
    def test_what_is_not_there_is_404(self, api: httpx2.Client, type_name: str, path: str) -> None:
        method = "POST" if path == "/resync" else "GET"

        answer = api.request(method, f"/v1/resources/{type_name}/none{path}")

        assert problem(answer, 404)["type"].endswith(":resource-not-found")

    def test_a_resource_may_be_called_as_what_is_done_with_it(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        create(api, type_name, "resync")

        assert api.get(f"/v1/resources/{type_name}/resync").json()["name"] == "resync"


class TestDrivers:
    def driver(self, api: httpx2.Client, **said: Any) -> str:
        name = new_name("driver")
        message = DriverMessage(name=name, **said)
        hello = Hello(name=name, kinds=frozenset({name}), slots=1, drivers=(message,))
        answer = api.post(
            "/v1/worker/register",
            content=hello.model_dump_json(),
            headers={PROTOCOL_HEADER: str(PROTOCOL_VERSION), "Content-Type": "application/json"},
        )
        assert answer.status_code == 200, answer.text
        return name

    def test_a_driver_that_has_registered_is_listed_with_what_it_serves(self, api: httpx2.Client) -> None:
        name = self.driver(api, resources=("nothing",), events=("created",), retries=2)

        listed = {
            each["name"]: each for each in api.get("/v1/drivers", params={"after": name[:-1]}).json()["items"]
        }

        shown = listed[name]
        assert shown["resources"] == ["nothing"]
        assert shown["events"] == ["created"]
        assert (shown["retries"], shown["connected"], shown["in_flight"]) == (2, 1, 0)
        assert api.get(f"/v1/drivers/{name}").json()["registered_at"] == shown["registered_at"]

    def test_a_driver_that_is_connected_is_not_forgotten(self, api: httpx2.Client) -> None:
        answer = api.delete(f"/v1/drivers/{self.driver(api, events=('none',))}")

        assert problem(answer, 409)["advice"]

    def test_a_driver_that_nobody_knows_cannot_be_shown_forgotten_or_told(self, api: httpx2.Client) -> None:
        body = {"event": "flush", "drivers": ["nobody"]}

        problem(api.get("/v1/drivers/nobody"), 404)
        problem(api.delete("/v1/drivers/nobody"), 404)
        problem(api.post("/v1/drivers/broadcast", json=body), 404)

    def test_a_resource_without_a_pipeline_goes_to_the_drivers_of_its_type(
        self, api: httpx2.Client, type_name: str
    ) -> None:
        name = self.driver(api, resources=(type_name,), events=("created",))

        made = create(api, type_name)
        changed = api.patch(f"/v1/resources/{type_name}/shop", json={"spec": {"replicas": 5}}).json()

        run = api.get(f"/v1/runs/{made['started_run_id']}").json()
        assert [node["path"] for node in run["nodes"]] == [name]
        assert (changed["event"], changed["started_run_id"]) == ("updated", None)

    def test_a_broadcast_is_a_run_with_a_task_for_each_driver_that_hears_it(self, api: httpx2.Client) -> None:
        event = new_name("event")
        hearing = [self.driver(api, events=(event,)) for _ in range(2)]
        self.driver(api, events=("other",))

        answer = api.post("/v1/drivers/broadcast", json={"event": event, "payload": {"a": [1, None]}})

        assert answer.status_code == 202, answer.text
        told = answer.json()
        assert set(hearing) <= set(told["drivers"])
        run = api.get(answer.headers["location"]).json()
        assert run["id"] == told["run_id"]
        assert [node["path"] for node in run["nodes"]] == told["drivers"]

    @pytest.mark.parametrize("event", ["created", "a b", ""])
    def test_a_broadcast_of_what_is_no_event_of_its_own_is_refused(
        self, api: httpx2.Client, event: str
    ) -> None:
        answer = api.post("/v1/drivers/broadcast", json={"event": event})

        assert fields(problem(answer, 422)) == ["/event"]

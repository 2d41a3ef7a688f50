import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from fake_api import PASSWORD, USERNAME, FakeApi, group
from lineshaft.model.errors import (
    BadCredentialsError,
    InvalidDefinitionError,
    NodeNotFoundError,
    NotFoundError,
    NotWaitingError,
    PipelineNotFoundError,
    RunEndedError,
    RunNotEndedError,
    RunNotFoundError,
    ServerError,
    ServerUnreachableError,
    StoreUnavailableError,
    UnavailableError,
)
from lineshaft.model.node import Order
from lineshaft.model.state import State
from lineshaft.sdk.client import Client
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.run import LogPiece

NOBODY = UUID(int=99)


@pytest.fixture
def client(api: FakeApi) -> Iterator[Client]:
    config = ClientConfig(api.url, USERNAME, PASSWORD)
    with Client(config, reconnect_delays=[timedelta(0)] * 3) as client:
        yield client


def test_a_definition_makes_a_pipeline_that_can_be_read_replaced_and_deleted(client: Client) -> None:
    made = client.create_pipeline({"name": "shop", "stages": [], "parallel": False})
    assert (made.message, made.run_id) == ("Pipeline created successfully.", None)
    assert client.pipeline(made.id).name == "shop"
    assert client.update_pipeline(made.id, b'{"name": "store", "stages": [], "parallel": true}').id == made.id
    assert client.pipeline(str(made.id)).parallel
    assert client.delete_pipeline(made.id).message == "Pipeline deleted successfully."
    with pytest.raises(PipelineNotFoundError):
        client.pipeline(made.id)


def test_a_definition_given_as_text_is_sent_as_it_is(client: Client) -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        client.create_pipeline('{\n  "stages": []\n}')
    (problem,) = caught.value.problems
    assert (problem.field, problem.line, problem.column) == ("stages", 2, 3)


def test_all_pipelines_are_listed_a_page_at_a_time(client: Client, api: FakeApi) -> None:
    for name in ("c", "a", "b"):
        api.add_pipeline(name)
    assert [each.name for each in client.pipelines(page_size=2)] == ["a", "b", "c"]
    assert api.seen == ["GET /v1/pipelines?limit=2", "GET /v1/pipelines?limit=2&after=2"]


def test_pages_that_nobody_reads_are_not_asked_for(client: Client, api: FakeApi) -> None:
    for _ in range(3):
        api.add_pipeline("shop")
    next(client.pipelines(page_size=1))
    assert len(api.seen) == 1


def test_pipelines_can_be_listed_by_name(client: Client, api: FakeApi) -> None:
    api.add_pipeline("shop")
    wanted = api.add_pipeline("a & b?")
    assert [each.id for each in client.pipelines("a & b?")] == [wanted]


def test_a_trigger_tells_which_run_it_began(client: Client, api: FakeApi) -> None:
    answer = client.trigger_pipeline(api.add_pipeline("shop", "test"))
    assert answer.run_id is not None
    assert client.run(answer.run_id).number == 1


def test_a_run_that_is_started_is_returned(client: Client, api: FakeApi) -> None:
    run = client.start_run(api.add_pipeline("shop", "test"))
    assert (run.number, run.state, [node.path for node in run.nodes]) == (1, State.QUEUED, ["test"])


def test_runs_are_listed_newest_first(client: Client, api: FakeApi) -> None:
    pipeline = api.add_pipeline("shop", "test")
    for _ in range(3):
        api.start_run(pipeline)
    assert [run.number for run in client.runs(pipeline, page_size=2)] == [3, 2, 1]
    assert [run.number for run in client.runs(pipeline, before=2)] == [1]


def test_a_run_is_read_with_its_nodes_reasons_and_times(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(
        api.add_pipeline("shop", group("test", "unit", "api", order=Order.PARALLEL), "ship")
    )
    api.play(run_id, "test/unit", exit_code=3)
    run = client.run(run_id)
    test, unit, _, ship = run.nodes
    assert (test.is_group, unit.is_group) == (True, False)
    assert (unit.state, unit.exit_code, unit.attempt) == (State.FAILED, 3, 1)
    assert unit.reason is not None
    assert (unit.reason.code, unit.reason.text) == ("exit_code", "The command ended with exit code 3.")
    assert unit.started_at == unit.ended_at == api.clock.now()
    assert (ship.state, ship.started_at) == (State.WAITING, None)
    assert [task.path for task in run.tasks] == ["test/unit", "test/api", "ship"]


def test_a_run_can_be_cancelled_once(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "test"))
    assert client.cancel_run(run_id).state is State.CANCELLED
    with pytest.raises(RunEndedError):
        client.cancel_run(run_id)


def test_a_held_run_is_approved_for_its_commit_alone(client: Client, api: FakeApi) -> None:
    run_id = api.hold(api.add_pipeline("shop", "test"), "a" * 40, ("src/a.py",))
    run = client.run(run_id)
    assert (run.held, run.approved_by, run.approvable_commit) == (True, None, "a" * 40)
    assert client.changed_paths(run_id) == ("src/a.py",)
    with pytest.raises(NotWaitingError):
        client.approve_run(run_id, "b" * 40)

    approved = client.approve_run(run_id, "a" * 40)

    assert (approved.held, approved.approved_by, approved.state) == (False, "ada", State.QUEUED)


def test_changes_that_are_not_known_are_not_the_same_as_none(client: Client, api: FakeApi) -> None:
    pipeline = api.add_pipeline("shop", "test")
    unknown, nothing = api.hold(pipeline, "a" * 40), api.hold(pipeline, "a" * 40, ())
    assert (client.changed_paths(unknown), client.changed_paths(nothing)) == (None, ())


def test_a_run_can_be_retried_when_it_has_ended(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "test"))
    with pytest.raises(RunNotEndedError):
        client.retry_run(run_id)
    api.play(run_id, "test")
    assert client.retry_run(run_id).number == 2


def test_a_runs_history_comes_in_order_over_lost_connections(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint", "test"))
    api.play(run_id, "lint")
    api.play(run_id, "test")
    api.stream_cuts = [3, 0, 4]
    changes = list(client.events(run_id))
    assert [change.number for change in changes] == list(range(1, len(changes) + 1))
    assert (changes[-1].path, changes[-1].state) == ("", State.SUCCEEDED)
    resumed = [request.partition(" behind ")[2] for request in api.seen]
    assert resumed == ["", "3", "3", "7"]


def test_a_history_can_be_read_from_anywhere(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    api.play(run_id, "lint")
    assert next(client.events(run_id, after=2)).number == 3


def test_changes_come_while_the_run_goes_on(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    changes = client.events(run_id, after=2)
    api.begin(run_id, "lint")
    assert next(changes).state is State.RUNNING
    api.end(run_id, "lint")
    assert [change.path for change in changes] == ["", "lint", ""]


def test_a_log_is_read_byte_by_byte(client: Client, api: FakeApi) -> None:
    log = bytes(range(256)) * 1000
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    api.play(run_id, "lint", log)
    assert b"".join(client.log(run_id, "lint")) == log
    assert b"".join(client.log(run_id, "lint", start=1000)) == log[1000:]


def test_reading_at_a_logs_end_gives_nothing(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    api.play(run_id, "lint", b"abc")
    assert list(client.log(run_id, "lint", start=3)) == []


def test_the_path_of_a_node_may_hold_any_character(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", group("a b", "50% ä?#&")))
    api.play(run_id, "a b/50% ä?#&", b"here")
    assert b"".join(client.log(run_id, "a b/50% ä?#&")) == b"here"


def test_a_log_is_followed_without_gap_or_repeat_over_lost_connections(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    api.begin(run_id, "lint")
    api.write(run_id, "lint", b"one\n")
    pieces = client.follow_log(run_id, "lint")
    assert next(pieces) == LogPiece(0, b"one\n")
    api.stream_cuts = [1]
    api.write(run_id, "lint", b"\xff\xfe\n")
    assert next(pieces) == LogPiece(4, b"\xff\xfe\n")
    api.write(run_id, "lint", b"three\n")
    api.end(run_id, "lint")
    assert list(pieces) == [LogPiece(7, b"three\n")]


def test_a_log_can_be_followed_from_anywhere(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    api.play(run_id, "lint", b"0123456789")
    assert list(client.follow_log(run_id, "lint", start=4)) == [LogPiece(4, b"456789")]


def test_what_is_not_there_is_told_apart(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    with pytest.raises(RunNotFoundError):
        client.run(NOBODY)
    with pytest.raises(RunNotFoundError):
        list(client.events(NOBODY))
    with pytest.raises(PipelineNotFoundError):
        client.start_run(NOBODY)
    with pytest.raises(PipelineNotFoundError):
        list(client.runs(NOBODY))
    with pytest.raises(NodeNotFoundError):
        list(client.log(run_id, "nope"))
    with pytest.raises(NodeNotFoundError):
        list(client.log(run_id, "lint", attempt=2))


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_that_would_lead_to_another_address_is_not_sent(
    client: Client, api: FakeApi, name: str
) -> None:
    pipeline = client.create_pipeline({"name": "shop", "stages": [], "parallel": False}).id
    sent = len(api.seen)
    for call in (
        lambda: client.delete_secret(name, pipeline_id=pipeline),
        lambda: client.revoke_grant(pipeline, name),
        lambda: client.delete_user(name),
        lambda: client.worker(name),
        lambda: client.run(name),
    ):
        with pytest.raises(NotFoundError, match=rf"^Nothing is named '{re.escape(name)}'\.$"):
            call()
    assert len(api.seen) == sent


def test_wrong_credentials_are_refused(api: FakeApi) -> None:
    with Client(ClientConfig(api.url, USERNAME, "wrong")) as client, pytest.raises(BadCredentialsError):
        list(client.pipelines())


def test_a_server_that_is_up_and_ready_says_so(client: Client) -> None:
    assert client.ping() > timedelta(0)
    client.check_ready()


def test_a_server_that_is_not_ready_says_why(client: Client, api: FakeApi) -> None:
    body = b'{"type": "urn:lineshaft:problem:store-unavailable", "detail": "The database does not answer."}'
    api.refusals = [(503, body)]
    with pytest.raises(StoreUnavailableError, match="The database does not answer"):
        client.check_ready()


def test_an_address_where_nobody_answers_is_named_with_the_cause() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with Client(ClientConfig(url, "a", "b")) as client, pytest.raises(ServerUnreachableError) as caught:
        client.ping()
    assert caught.value.message == f"No Lineshaft server answers at {url}: Connection refused."
    assert "lineshaft up" in caught.value.advice


def test_a_host_that_does_not_exist_gets_other_advice_than_starting_one() -> None:
    config = ClientConfig("http://nowhere.invalid", "a", "b")
    with Client(config) as client, pytest.raises(ServerUnreachableError) as caught:
        client.ping()
    assert "lineshaft up" not in caught.value.advice


def test_a_stream_is_given_up_when_the_server_stays_away(client: Client, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "lint"))
    lost: list[UnavailableError] = []
    api.stream_cuts = [1, 0, 0, 0]
    with pytest.raises(UnavailableError, match="ended the stream early"):
        list(client.events(run_id, on_lost=lost.append))
    assert len(lost) == 3


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": "no UUID"}', b"\xff", b"[" * 100_000])
def test_an_answer_that_makes_no_sense_is_told(client: Client, api: FakeApi, body: bytes) -> None:
    api.refusals = [(200, body)]
    with pytest.raises(ServerError, match=r"no JSON|not understood"):
        client.run(NOBODY)


def test_a_stream_of_another_kind_is_told(client: Client, api: FakeApi) -> None:
    api.refusals = [(200, b"<html>")]
    with pytest.raises(ServerError, match="no event stream"):
        list(client.events(NOBODY))

"""Tests as people ask for them: those of a run, and those that many runs tell of."""

from typing import Any

import pytest

from integration.files.conftest import Stage
from lineshaft.model.artifact import ArtifactKind, ContentFormat
from lineshaft.model.errors import InvalidInputError, StaleLeaseError
from lineshaft.model.kept_files import ResultType
from lineshaft.model.test_case import TestCase, TestState
from lineshaft.services.tests import LONGEST_TEST_MESSAGE
from lineshaft.wire.files import TestCases
from worker_files_scene import Held, keep


def case(name: str, state: TestState = TestState.PASSED, **members: Any) -> TestCase:
    return TestCase("suite", "tests.Shop", name, state, **{"seconds": 1.5, **members})


async def tell(stage: Stage, held: Held, *cases: TestCase, result: str = "junit", number: int = 0) -> None:
    told = TestCases(**held.members, result=result, number=number, cases=cases)
    await stage.scene.files.report_tests(told)


async def asked(stage: Stage, held: Held, **query: Any) -> dict[str, Any]:
    answer = await stage.http.get(f"/v1/runs/{held.address.run_id}/tests", params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def names(page: dict[str, Any]) -> list[str]:
    return [item["name"] for item in page["items"]]


async def test_the_tests_of_a_run_are_told_failures_first(stage: Stage) -> None:
    held = await stage.scene.first()
    failed = case("b", TestState.FAILED, message="expected 1", file="tests/shop.py")
    await tell(stage, held, case("a"), failed, case("c", TestState.SKIPPED), case("d", TestState.ERROR))

    page = await asked(stage, held)

    assert names(page) == ["b", "d", "a", "c"]
    assert page["counts"] == {"passed": 1, "failed": 1, "error": 1, "skipped": 1, "seconds": 6.0}
    assert page["items"][0] == {
        "path": "build",
        "attempt": 1,
        "result": "junit",
        "suite": "suite",
        "class_name": "tests.Shop",
        "name": "b",
        "file": "tests/shop.py",
        "state": "failed",
        "seconds": 1.5,
        "message": "expected 1",
    }


async def test_tests_are_found_by_state_node_and_text(stage: Stage) -> None:
    first = await stage.scene.first()
    await tell(stage, first, case("Alpha"), case("beta", TestState.FAILED), case("gamma", TestState.ERROR))
    second = await stage.scene.second(first)
    await tell(stage, second, case("delta"))

    assert names(await asked(stage, first, state="passed")) == ["Alpha", "delta"]
    assert names(await asked(stage, first, state=["failed", "error"])) == ["beta", "gamma"]
    assert names(await asked(stage, first, node="test")) == ["delta"]
    assert names(await asked(stage, first, text="ALP")) == ["Alpha"]
    assert names(await asked(stage, first, attempt=2)) == []
    assert (await asked(stage, first, text="alp"))["counts"]["failed"] == 1


async def test_tests_of_a_run_are_told_a_page_at_a_time(stage: Stage) -> None:
    held = await stage.scene.first()
    await tell(stage, held, *(case(f"t{number}") for number in range(3)))

    first = await asked(stage, held, limit=2)
    second = await asked(stage, held, limit=2, after=first["next"])

    assert names(first) + names(second) == ["t0", "t1", "t2"]
    assert second["next"] is None


async def test_a_result_that_tells_of_tests_is_listed_with_their_counts(stage: Stage) -> None:
    held = await stage.scene.first()
    await keep(
        stage.scene.files,
        held,
        b"<testsuites/>",
        "junit",
        kind=ArtifactKind.RESULT,
        type=ResultType.JUNIT,
        format=ContentFormat.FILE,
        media_type="application/xml",
    )
    await tell(stage, held, case("a"), case("b", TestState.FAILED))

    (item,) = (await stage.http.get(f"/v1/runs/{held.address.run_id}/results")).json()["items"]

    assert item["tests"] == {"passed": 1, "failed": 1, "error": 0, "skipped": 0, "seconds": 3.0}


async def test_what_a_hostile_report_says_is_cut(stage: Stage) -> None:
    held = await stage.scene.first()
    for number, seconds in enumerate((float("nan"), float("inf"), -1.0)):
        await tell(
            stage, held, case("a\udc80" + "x" * 9_999, seconds=seconds, message="y" * 99_999), number=number
        )

    for item in (await asked(stage, held))["items"]:
        assert item["seconds"] is None
        assert item["name"].startswith("a?xxx")
        assert len(item["message"]) == LONGEST_TEST_MESSAGE


async def test_a_result_with_a_nul_in_its_name_is_refused(stage: Stage) -> None:
    held = await stage.scene.first()

    with pytest.raises(InvalidInputError):
        await tell(stage, held, case("a"), result="a\0b")


async def test_a_dead_lease_tells_of_nothing(stage: Stage) -> None:
    held = await stage.scene.first()
    await stage.scene.second(held)

    with pytest.raises(StaleLeaseError):
        await tell(stage, held, case("a"))

    assert names(await asked(stage, held)) == []


@pytest.mark.parametrize(
    ("order", "member"),
    [("slowest", "median_seconds"), ("flaky", "split_commits"), ("newly_failing", "since")],
)
async def test_many_runs_tell_of_a_test(stage: Stage, order: str, member: str) -> None:
    commit = "c0ffee" + "0" * 34
    await tell(stage, await stage.scene.first(ref=commit), case("a"))
    held = await stage.scene.first(ref=commit)
    await tell(stage, held, case("a", TestState.FAILED))
    run = await stage.scene.run(held)

    answer = await stage.http.get(f"/v1/pipelines/{run.pipeline_id}/tests", params={"order": order})

    (item,) = answer.json()["items"]
    assert (item["name"], item["path"], item["run"], item["state"]) == ("a", "build", 2, "failed")
    assert member in item


async def test_a_window_has_bounds(stage: Stage) -> None:
    held = await stage.scene.first()
    pipeline_id = (await stage.scene.run(held)).pipeline_id

    for query in ({"runs": 0}, {"runs": 101}, {"order": "best"}, {"after": -1}, {"branch": "\0"}):
        answer = await stage.http.get(f"/v1/pipelines/{pipeline_id}/tests", params=query)
        assert answer.status_code == 422, query

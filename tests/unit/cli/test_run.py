import json

from command_line import CommandLine
from fake_api import FakeApi, group
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.node import Order

WAITS = "Waits for a worker that serves it to be free."


def test_runs_are_listed_newest_first(lineshaft: CommandLine, api: FakeApi) -> None:
    shop = api.add_pipeline("shop", "test")
    first, second = api.start_run(shop), api.start_run(shop)
    api.play(first, "test", exit_code=2)
    assert lineshaft("runs", "shop").out.splitlines() == [
        "NUMBER  STATE   CREATED               TOOK  ID                                    REASON",
        f"2       queued  2026-01-01T00:00:00Z  -     {second}  {WAITS}",
        f"1       failed  2026-01-01T00:00:00Z  0.0s  {first}  'test' failed.",
    ]


def test_runs_for_programs_are_an_array(lineshaft: CommandLine, api: FakeApi) -> None:
    shop = api.add_pipeline("shop", "test")
    for _ in range(3):
        api.start_run(shop)
    result = lineshaft("runs", shop, "--limit", "2", "--output", "json")
    assert [run["number"] for run in json.loads(result.out)] == [3, 2]


def test_a_pipeline_without_runs_says_how_to_begin_one(lineshaft: CommandLine, api: FakeApi) -> None:
    api.add_pipeline("shop")
    result = lineshaft("runs", "shop")
    assert result.code == ExitCode.OK
    assert "lineshaft trigger-pipeline" in result.err


def test_a_run_is_shown_as_a_tree(lineshaft: CommandLine, api: FakeApi) -> None:
    run_id = api.start_run(
        api.add_pipeline("shop", group("test", "unit", "api", order=Order.PARALLEL), "ship")
    )
    api.play(run_id, "test/unit", exit_code=1)
    api.play(run_id, "test/api")
    assert lineshaft("show", "shop/1").out.splitlines() == [
        "✗ shop/1  failed  0.0s  'test' failed.",
        "├── ✗ test  failed  0.0s  'unit' failed.",
        "│   ├── ✗ unit  failed  0.0s  The command ended with exit code 1.",
        "│   └── ✓ api  succeeded  0.0s",
        "└── - ship  skipped  'test' before it did not succeed.",
        f"id: {run_id}  created: 2026-01-01T00:00:00Z",
    ]


def test_a_run_for_programs_is_what_the_server_says(lineshaft: CommandLine, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "test"))
    document = json.loads(lineshaft("show", run_id, "--output", "json").out)
    assert (document["id"], document["nodes"][0]["state"]) == (str(run_id), "queued")


def test_a_run_is_cancelled(lineshaft: CommandLine, api: FakeApi) -> None:
    run_id = api.start_run(api.add_pipeline("shop", "test"))
    api.begin(run_id, "test")
    assert lineshaft("cancel", "shop/latest").out == "shop/1 is cancelled.\n"


def test_a_run_that_has_ended_cannot_be_cancelled(lineshaft: CommandLine, api: FakeApi) -> None:
    api.cancel(api.start_run(api.add_pipeline("shop", "test")))
    result = lineshaft("cancel", "shop/1")
    assert result.code == ExitCode.CONFLICT
    assert result.err == "error: Run 1 has ended.\nThere is nothing left to cancel.\n"


def test_a_run_is_retried(lineshaft: CommandLine, api: FakeApi) -> None:
    shop = api.add_pipeline("shop", "test")
    api.cancel(api.start_run(shop))
    assert lineshaft("retry", "shop/1").out.startswith("shop/2 is queued (")
    api.cancel(api.runs(shop)[0].id)
    assert json.loads(lineshaft("retry", "shop/2", "--output", "json").out)["number"] == 3


def test_a_run_that_goes_on_cannot_be_retried(lineshaft: CommandLine, api: FakeApi) -> None:
    api.start_run(api.add_pipeline("shop", "test"))
    assert lineshaft("retry", "shop/1").code == ExitCode.CONFLICT

import pytest

from command_line import CommandLine
from fake_api import FakeApi
from lineshaft.cli.exit_code import ExitCode


def test_a_name_that_several_pipelines_have_is_refused_with_their_ids(
    lineshaft: CommandLine, api: FakeApi
) -> None:
    ids = [str(api.add_pipeline("shop")) for _ in range(2)]
    result = lineshaft("runs", "shop")
    assert result.code == ExitCode.CONFLICT
    assert result.err == f"error: Several pipelines are named 'shop'.\nGive the id: {', '.join(ids)}.\n"


def test_a_name_that_is_nearly_right_is_corrected(lineshaft: CommandLine, api: FakeApi) -> None:
    api.add_pipeline("shop")
    result = lineshaft("runs", "shpo")
    assert result.code == ExitCode.NOT_FOUND
    assert result.err == "error: No pipeline is named 'shpo'.\nDid you mean 'shop'?\n"


def test_a_run_is_found_by_number_and_as_the_latest_and_by_id(lineshaft: CommandLine, api: FakeApi) -> None:
    shop = api.add_pipeline("shop")
    runs = [api.start_run(shop) for _ in range(3)]
    for reference, run_id in (("shop/2", runs[1]), ("shop/latest", runs[2]), (runs[0], runs[0])):
        assert f"id: {run_id}" in lineshaft("show", reference).out


def test_a_run_is_found_by_its_pipelines_id(lineshaft: CommandLine, api: FakeApi) -> None:
    shop = api.add_pipeline("shop")
    api.start_run(shop)
    assert lineshaft("show", f"{shop}/1").out.startswith("✓ shop/1 ")


def test_a_pipelines_name_may_hold_a_slash(lineshaft: CommandLine, api: FakeApi) -> None:
    api.start_run(api.add_pipeline("team/shop"))
    assert lineshaft("show", "team/shop/1").code == ExitCode.OK


def test_a_run_of_a_deleted_pipeline_is_titled_by_the_id(lineshaft: CommandLine, api: FakeApi) -> None:
    shop = api.add_pipeline("shop")
    run_id = api.start_run(shop)
    api.remove_pipeline(shop)
    assert lineshaft("show", run_id).out.startswith(f"✓ {shop}/1 ")


@pytest.mark.parametrize(("which", "what"), [("7", "no run 7"), ("0", "no run 0"), ("latest", "no runs yet")])
def test_a_run_that_is_not_there_is_told(lineshaft: CommandLine, api: FakeApi, which: str, what: str) -> None:
    api.add_pipeline("shop")
    result = lineshaft("show", f"shop/{which}")
    assert result.code == ExitCode.NOT_FOUND
    assert result.err.startswith(f"error: Pipeline 'shop' has {what}.\n")


@pytest.mark.parametrize("reference", ["shop", "shop/", "/1", "shop/-1", "shop/1.5", "shop/" + "9" * 5000])
def test_what_names_no_run_is_wrong_usage(lineshaft: CommandLine, api: FakeApi, reference: str) -> None:
    result = lineshaft("show", reference)
    assert result.code == ExitCode.WRONG_USAGE
    assert "Try `lineshaft show --help`." in result.err
    assert api.seen == []

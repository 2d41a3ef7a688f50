import io
import json
import sys
from pathlib import Path

import pytest

from command_line import CommandLine
from fake_api import FakeApi
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.node import Order

DEFINITION = '{"name": "shop", "git_repository": null, "parallel": false, "stages": []}'


def test_a_pipeline_is_made_read_replaced_triggered_and_deleted_as_system_0_shows(
    lineshaft: CommandLine, api: FakeApi
) -> None:
    credentials = ("--username", "admin", "--password", "sesame", "--base-url", api.url)
    made = lineshaft("create-pipeline", *credentials, "--data", DEFINITION)
    pipeline_id = json.loads(made.out)["id"]
    assert made.out == f'{{"id": "{pipeline_id}", "message": "Pipeline created successfully."}}\n'
    on_it = (*credentials, "--pipeline-id", pipeline_id)
    assert json.loads(lineshaft("get-pipeline", *on_it).out) == {**json.loads(DEFINITION), "id": pipeline_id}
    for command, message in (
        (("update-pipeline", "--data", DEFINITION), "Pipeline updated successfully."),
        (("trigger-pipeline",), "Pipeline triggered successfully."),
        (("delete-pipeline",), "Pipeline deleted successfully."),
    ):
        result = lineshaft(*command, *on_it)
        assert json.loads(result.out) == {"id": pipeline_id, "message": message}
        assert (result.code, result.err) == (0, "")


def test_a_definition_is_taken_from_a_file(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "pipeline.json").write_text(DEFINITION)
    assert lineshaft("create-pipeline", "--data", f"@{tmp_path}/pipeline.json").code == ExitCode.OK


def test_a_file_is_sent_with_the_repository_that_is_named(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "pipeline.json").write_text(DEFINITION)
    file, address = tmp_path / "pipeline.json", "https://git.example/shop.git"
    made = lineshaft("create-pipeline", file, "--repository", address)
    assert json.loads(lineshaft("get-pipeline", json.loads(made.out)["id"]).out)["git_repository"] == address


def test_a_repository_is_named_for_a_file_alone(lineshaft: CommandLine, api: FakeApi) -> None:
    result = lineshaft("create-pipeline", "--data", DEFINITION, "--repository", "https://git.example/x.git")
    assert result.code == ExitCode.WRONG_USAGE
    assert "--repository goes with FILE" in result.err
    assert api.seen == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--repository", "https://git.example/x.git"), "--name"),
        (("--data", DEFINITION, "--name", "shop"), "--name goes with --repository alone"),
        (("lineshaft.yml", "--ref", "main"), "--ref goes with --repository alone"),
        (("lineshaft.yml", "--config-path", "ci.yml"), "--config-path goes with --repository alone"),
    ],
)
def test_where_a_pipeline_is_kept_is_said_as_a_whole_and_alone(
    lineshaft: CommandLine, api: FakeApi, arguments: tuple[str, ...], words: str
) -> None:
    result = lineshaft("create-pipeline", *arguments)
    assert result.code == ExitCode.WRONG_USAGE
    assert words in result.err
    assert api.seen == []


def test_a_definition_is_taken_from_standard_input(
    lineshaft: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DEFINITION.encode())))
    assert lineshaft("create-pipeline", "--data", "-").code == ExitCode.OK


def test_a_file_that_is_not_there_is_named(lineshaft: CommandLine) -> None:
    result = lineshaft("create-pipeline", "--data", "@/nonexistent.json")
    assert result.code == ExitCode.NOT_FOUND
    assert result.err == "error: There is no file '/nonexistent.json'.\n"


def test_what_is_no_json_is_refused_before_it_is_sent_and_underlined(
    lineshaft: CommandLine, api: FakeApi
) -> None:
    result = lineshaft("create-pipeline", "--data", '{\n  "name" "shop"\n}')
    assert result.code == ExitCode.INVALID_INPUT
    assert result.err.splitlines()[-2:] == ['    2 |   "name" "shop"', "      |          ^^^^^^"]
    assert api.seen == []


def test_what_the_server_refuses_is_underlined_where_it_stands(lineshaft: CommandLine) -> None:
    result = lineshaft("create-pipeline", "--data", '{\n  "stages": 7\n}')
    assert result.code == ExitCode.INVALID_INPUT
    assert result.err.splitlines() == [
        "error: The definition cannot be read.",
        "Give it a name.",
        "--data:2:3: stages there is no name before them",
        '    2 |   "stages": 7',
        "      |   ^^^^^^^^^^^",
    ]


def test_a_pipeline_can_be_named_in_place_of_its_id(lineshaft: CommandLine, api: FakeApi) -> None:
    pipeline_id = api.add_pipeline("shop")
    assert json.loads(lineshaft("get-pipeline", "shop").out)["id"] == str(pipeline_id)


def test_a_pipeline_is_named_once(lineshaft: CommandLine) -> None:
    assert lineshaft("get-pipeline").code == ExitCode.WRONG_USAGE
    assert lineshaft("get-pipeline", "shop", "--pipeline-id", "1").code == ExitCode.WRONG_USAGE


def test_a_missing_pipeline_is_told(lineshaft: CommandLine) -> None:
    result = lineshaft("get-pipeline", "--pipeline-id", "00000000-0000-7000-8000-000000000009")
    assert result.code == ExitCode.NOT_FOUND
    assert result.err == "error: Pipeline not found. Make sure to create the pipeline first.\n"


def test_pipelines_are_listed_in_columns(lineshaft: CommandLine, api: FakeApi) -> None:
    shop = api.add_pipeline("shop")
    long = api.add_pipeline("日本", order=Order.PARALLEL)
    assert lineshaft("list").out.splitlines() == [
        "NAME  STAGES         REPOSITORY  ID",
        f"shop  0 in sequence  -           {shop}",
        f"日本  0 in parallel  -           {long}",
    ]


def test_a_list_for_programs_holds_all_that_the_server_says(lineshaft: CommandLine, api: FakeApi) -> None:
    api.add_pipeline("a")
    shop = api.add_pipeline("shop")
    result = lineshaft("list", "--name", "shop", "--output", "json")
    assert json.loads(result.out) == [api.pipeline(shop)]


def test_a_list_that_is_cut_off_says_so(lineshaft: CommandLine, api: FakeApi) -> None:
    for _ in range(3):
        api.add_pipeline("shop")
    result = lineshaft("list", "--limit", "2")
    assert len(result.out.splitlines()) == 3
    assert result.err == "note: There are more than 2; list them with a higher --limit.\n"


def test_an_empty_list_says_what_to_do(lineshaft: CommandLine) -> None:
    result = lineshaft("list")
    assert (result.code, result.out) == (ExitCode.OK, "")
    assert "lineshaft create-pipeline" in result.err
    assert lineshaft("list", "--output", "json").out == "[]\n"
    assert lineshaft("list", "--name", "shop").err == "note: No pipeline is named 'shop'.\n"


def test_a_name_cannot_steer_the_terminal(lineshaft: CommandLine, api: FakeApi) -> None:
    api.add_pipeline("\x1b[2Jshop")
    assert "\x1b" not in lineshaft("list").out


def test_a_trigger_can_be_watched_to_its_end(lineshaft: CommandLine, api: FakeApi) -> None:
    api.add_pipeline("empty")
    result = lineshaft("trigger-pipeline", "empty", "--watch")
    assert result.code == ExitCode.OK
    assert result.out.splitlines()[-1] == "2026-01-01T00:00:00Z empty/1 succeeded"


def test_a_trigger_can_be_followed_to_its_end(lineshaft: CommandLine, api: FakeApi) -> None:
    api.add_pipeline("empty")
    result = lineshaft("trigger-pipeline", "empty", "--follow")
    assert (result.code, result.out) == (ExitCode.OK, "")


def test_a_trigger_is_either_watched_or_followed(lineshaft: CommandLine, api: FakeApi) -> None:
    api.add_pipeline("empty")
    assert lineshaft("trigger-pipeline", "empty", "--watch", "--follow").code == ExitCode.WRONG_USAGE
    assert api.seen == []

import json
from pathlib import Path

import pytest

from command_line import CommandLine
from lineshaft.cli.exit_code import ExitCode

GOOD = "name: shop\nsteps:\n  - {name: test, run: pytest}\n"
BAD = "name: shop\nsteps:\n  - {name: test, rnu: pytest}\n  - {name: test, run: ls, timeout: x}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_good_pipeline_is_said_to_be_fine(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "lineshaft.yml").write_text(GOOD)
    result = lineshaft("check")
    assert (result.code, result.out, result.err) == (0, "lineshaft.yml: shop is fine, 1 task.\n", "")


def test_it_tells_that_notifications_need_a_server_that_sends_mail(
    lineshaft: CommandLine, folder: Path
) -> None:
    (folder / "lineshaft.yml").write_text(f"notify: [{{email: {{to: ann@example.org}}}}]\n{GOOD}")
    assert lineshaft("check").out.splitlines() == [
        "lineshaft.yml: shop is fine, 1 task.",
        "  1 notification: sent by a server that has LINESHAFT_SMTP_URL, and nowhere else",
    ]


def test_every_mistake_of_every_file_is_told_at_once(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "a.yml").write_text(BAD)
    (folder / "b.yml").write_text(GOOD)
    (folder / "c.yml").write_text("name: [")
    result = lineshaft("check", "a.yml", "b.yml", "c.yml")
    assert result.code == ExitCode.INVALID_INPUT
    places = [line.split(" ")[0] for line in result.out.splitlines() if not line.startswith(" ")]
    assert places[0] == "a.yml:3:18:"
    assert {place.partition(":")[0] for place in places} == {"a.yml", "b.yml", "c.yml"}
    assert "mistakes in 2 files of 3" in result.err


def test_a_mistake_is_underlined_with_what_to_write_instead(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "lineshaft.yml").write_text("name: shop\nsteps:\n  - name: test\n    rnu: pytest\n")
    assert lineshaft("check").out.splitlines() == [
        "lineshaft.yml:4:5: steps.0.rnu is unknown in a node",
        "    4 |     rnu: pytest",
        "      |     ^^^",
        "      = did you mean `run`?",
    ]


def test_programs_read_json(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "a.yml").write_text(GOOD)
    (folder / "b.yml").write_text(BAD)
    result = lineshaft("check", "a.yml", "b.yml", "--format", "json")
    good, bad = json.loads(result.out)["files"]
    assert good == {
        "file": "a.yml",
        "dialect": "native",
        "pipelines": ["shop"],
        "schedules": [],
        "problems": [],
    }
    assert (bad["problems"][0]["line"], bad["problems"][0]["advice"]) == (3, "did you mean `run`?")
    assert lineshaft("check", "a.yml", "b.yml", "--output", "json").out == result.out


def test_github_reads_annotations(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "lineshaft.yml").write_text(BAD)
    result = lineshaft("check", "--format", "github")
    assert result.out.startswith("::error file=lineshaft.yml,line=3,col=18,endColumn=21,title=steps.0.rnu::")


def test_a_folder_of_another_system_is_read_as_it_is(lineshaft: CommandLine, folder: Path) -> None:
    (folder / ".cicd-pipelines").mkdir()
    (folder / ".cicd-pipelines" / "build.yml").write_text(
        "name: build\nstages: [test]\njobs:\n  unit: {stage: test, image: python, script: pytest}\n"
    )
    assert lineshaft("check").out == ".cicd-pipelines/build.yml: build is fine, 1 task.\n"


def test_a_language_can_be_forced(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "lineshaft.yml").write_text(GOOD)
    assert lineshaft("check", "--dialect", "cicd").code == ExitCode.INVALID_INPUT


def test_a_file_that_is_not_there_is_told(lineshaft: CommandLine) -> None:
    assert lineshaft("check", "nope.yml").code == ExitCode.NOT_FOUND


def test_the_schema_is_printed_as_json(lineshaft: CommandLine) -> None:
    assert json.loads(lineshaft("schema").out)["title"] == "Lineshaft pipeline"
    assert "git_repository" in json.loads(lineshaft("schema", "--format", "rest").out)["properties"]


def test_a_pipeline_of_another_system_is_written_in_the_language(
    lineshaft: CommandLine, folder: Path
) -> None:
    text = '{"name": "tree", "steps": [{"name": "a", "exec": "make a"}], "order": "ordered"}'
    (folder / "tree.json").write_text(text)
    written = lineshaft("convert", "tree.json", "--write", "lineshaft.yml")
    assert (written.code, written.out) == (0, "")
    assert lineshaft("check").out == "lineshaft.yml: tree is fine, 1 task.\n"
    assert lineshaft("convert", "tree.json").out == (folder / "lineshaft.yml").read_text()


def test_converting_does_not_write_over_a_file(lineshaft: CommandLine, folder: Path) -> None:
    (folder / "tree.json").write_text('{"name": "tree", "exec": "make"}')
    (folder / "lineshaft.yml").write_text("mine")
    assert lineshaft("convert", "tree.json", "-w", "lineshaft.yml").code == ExitCode.CONFLICT
    assert (folder / "lineshaft.yml").read_text() == "mine"


def test_what_a_conversion_cannot_carry_over_is_told_with_its_place(
    lineshaft: CommandLine, folder: Path
) -> None:
    (folder / "build.yml").write_text(
        "name: build\nstages: [test]\njobs:\n  a/b: {stage: test, image: python, script: pytest}\n"
    )
    result = lineshaft("convert", "build.yml")
    assert result.code == ExitCode.OK
    assert "note: build.yml:4:" in result.err
    document = json.loads(lineshaft("convert", "build.yml", "--output", "json").out)
    assert (document["dialect"], document["notes"][0]["line"]) == ("cicd", 4)


def test_the_next_three_times_of_each_schedule_are_told(lineshaft: CommandLine, folder: Path) -> None:
    schedule = '{cron: "0 3 * * *", timezone: Asia/Tokyo}'
    (folder / "a.yml").write_text(f"{GOOD}on: {{schedule: [{schedule}]}}\n")
    line = lineshaft("check", "a.yml").out.splitlines()[1]
    assert line.startswith("  0 3 * * * (Asia/Tokyo): ")
    assert line.count("T03:00+09:00") == 3
    (told,) = json.loads(lineshaft("check", "a.yml", "--format", "json").out)["files"]
    (only,) = told["schedules"]
    assert (only["pipeline"], only["cron"], only["timezone"]) == ("shop", "0 3 * * *", "Asia/Tokyo")
    assert len(only["next"]) == 3

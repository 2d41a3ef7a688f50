"""Build scripts as programs of their own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from collector import collecting

EXAMPLE = Path(__file__).parents[3] / "examples" / "builder"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def program(script: str, folder: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    """Run a build script."""
    path = folder / "build.py"
    path.write_text(f"from lineshaft.sdk.builder import Node, main\n{script}")
    return called(folder, str(path), *flags)


def called(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )


def test_by_hand_the_lines_and_then_the_tree_are_printed(tmp_path: Path) -> None:
    result = program("main(Node('all', steps=[Node('hello', exec='echo hi')]))", tmp_path)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "all/hello | hi"
    assert [line.split(" (")[0] for line in lines[1:]] == ["all OK", "  hello OK"]
    assert result.stderr == ""


def test_a_build_that_is_not_ok_ends_with_one(tmp_path: Path) -> None:
    result = program("main(Node('all', exec='exit 7'))", tmp_path)
    assert result.returncode == 1
    assert "all ERROR" in result.stdout
    assert "exited with code 7" in result.stdout


def test_with_all_flags_everything_goes_to_the_collector(tmp_path: Path) -> None:
    (tmp_path / "changes").write_text("a.py\n")
    script = (
        "docs = Node('docs', exec='echo docs', if_changeset_matches='md$')\n"
        "main(Node('all', steps=[Node('hello', exec='echo hi'), docs, Node('bad', exec='exit 2')]))"
    )
    with collecting() as collector:
        result = program(
            script,
            tmp_path,
            *("-s", "shop", "-i", TRACE, "-d", SPAN, "-c", str(tmp_path / "changes")),
            *("-t", collector.traces_url, "-l", collector.logs_url),
        )
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")
    assert collector.services == {"shop"}
    assert collector.lines == ["hi"]
    assert {span["traceId"] for span in [*collector.spans, *collector.records]} == {TRACE}
    outer = collector.span("all")
    assert (outer["parentSpanId"], outer["status"]["code"]) == (SPAN, 2)
    assert collector.span("hello")["parentSpanId"] == outer["spanId"]
    assert collector.span("hello")["status"] == {"code": 1}
    assert collector.span("bad")["status"] == {"code": 2, "message": "exited with code 2"}
    assert collector.records[0]["spanId"] == collector.span("hello")["spanId"]
    assert int(outer["endTimeUnixNano"]) >= int(outer["startTimeUnixNano"])


def test_the_long_forms_of_the_flags_mean_the_same(tmp_path: Path) -> None:
    (tmp_path / "changes").write_text("")
    with collecting() as collector:
        result = program(
            "main(Node('all', exec='echo hi'))",
            tmp_path,
            *("--service-name", "shop", "--trace-id", TRACE, "--root-span-id", SPAN),
            *("--changeset", "changes"),
            *("--traces-endpoint", collector.traces_url, "--logs-endpoint", collector.logs_url),
        )
    assert result.returncode == 0
    assert collector.span("all")["parentSpanId"] == SPAN
    assert collector.lines == ["hi"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "nonsense", "ftp://x/", "http://[broken"])
def test_a_collector_that_takes_nothing_fails_no_build_and_loses_no_line(tmp_path: Path, url: str) -> None:
    result = program("main(Node('all', exec='echo hi'))", tmp_path, "-t", url, "-l", url)
    assert result.returncode == 0
    assert result.stdout == "all | hi\n"
    assert "takes no telemetry" in result.stderr


@pytest.mark.parametrize("flags", [("-i", "x"), ("-d", "x"), ("-c", "missing"), ("--unknown",)])
def test_flags_that_make_no_sense_end_with_two(tmp_path: Path, flags: tuple[str, ...]) -> None:
    result = program("main(Node('all', exec='echo hi'))", tmp_path, *flags)
    assert result.returncode == 2
    assert result.stdout == ""


def test_a_file_is_built_without_a_script(tmp_path: Path) -> None:
    (tmp_path / "tree.json").write_text(json.dumps({"name": "all", "exec": ["echo", "hi"]}))
    result = called(tmp_path, "-m", "lineshaft.sdk.builder", "tree.json", "-s", "shop")
    assert result.returncode == 0
    assert result.stdout.startswith("all | hi\n")


def test_a_file_that_makes_no_sense_ends_with_two_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "tree.json").write_text('{"name": "all", "step": []}')
    result = called(tmp_path, "-m", "lineshaft.sdk.builder", "tree.json")
    assert result.returncode == 2
    assert "tree.json: a node has no key 'step'. Its keys are name," in result.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_what_runs_and_the_teardown_still_runs(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "build.py").write_text(
        "from lineshaft.sdk.builder import Node, main\n"
        "main(Node('all', exec='echo ready; exec sleep 600', teardown=Node('tidy', exec='echo tidy')))"
    )
    command = [sys.executable, "build.py"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "all | ready\n"
        os.kill(process.pid, number)
        rest = process.stdout.read()
    assert process.returncode == 1
    assert rest.startswith("all/tidy | tidy\n")


def test_the_example_builds(tmp_path: Path) -> None:
    for path in EXAMPLE.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    result = called(tmp_path, "build.py")
    assert result.returncode == 0, result.stdout
    assert "example/greet | Hello from 1.0\n" in result.stdout
    assert called(tmp_path, "-m", "lineshaft.sdk.builder", "tree.json").returncode == 0


def test_the_builder_loads_nothing_heavy() -> None:
    script = "import sys, lineshaft.sdk.builder; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(called(Path.cwd(), "-c", script).stdout.split())
    assert not loaded & {"asyncio", "pydantic", "httpx2", "urllib3", "ssl", "aiohttp", "lightkube"}

"""What tests have come to, as people are told when a run has ended, here and on a server."""

import json
from collections.abc import Sequence
from pathlib import Path

from command_line import CommandLine
from integration.cli.test_run_here import run
from lineshaft.cli.exit_code import ExitCode

FAILURES = 7
CASES = (
    *(f'<testcase classname="c" name="good-{number}"/>' for number in range(12)),
    *(
        f'<testcase classname="c" name="bad-{number}"><failure message="is {number}"/></testcase>'
        for number in range(FAILURES)
    ),
    '<testcase name="left"><skipped/></testcase>',
)


def node_of(name: str, cases: Sequence[str], exit_code: int = 0) -> dict[str, object]:
    """Make a node that tells of test cases."""
    report = f"<testsuite name='s'>{''.join(cases)}</testsuite>"
    return {
        "name": name,
        "run": f"cat > report.xml <<'END'\n{report}\nEND\nexit {exit_code}",
        "results": [{"type": "junit", "path": "report.xml"}],
    }


def write(folder: Path, *steps: object) -> None:
    document = {"name": "tested", "parallel": True, "steps": steps}
    (folder / "lineshaft.yml").write_text(json.dumps(document))


TOLD = [
    "unit tests: 12 passed, 7 failed, 1 skipped",
    "api tests: 1 passed",
    *(f"  failed unit c.bad-{number}: is {number}" for number in range(5)),
    "  and 2 more",
]


def told_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if " tests: " in line or line.startswith("  ")]


def test_a_run_on_a_server_tells_at_its_end_what_tests_have_come_to(
    lineshaft: CommandLine, tmp_path: Path
) -> None:
    write(
        tmp_path,
        node_of("unit", CASES, 1),
        node_of("api", ['<testcase name="only"/>']),
        {"name": "x", "run": "true"},
    )
    assert lineshaft("create-pipeline", "lineshaft.yml").code == ExitCode.OK
    ended = lineshaft("trigger-pipeline", "tested", "--watch")
    assert ended.code == ExitCode.RUN_DID_NOT_SUCCEED
    again = lineshaft("watch", "tested/latest")
    for result in (ended, again):
        lines = told_in(result.out)
        assert sorted(lines[:2]) == sorted(TOLD[:2])
        assert lines[2:] == TOLD[2:]
    assert " tests: " not in lineshaft("watch", "tested/latest", "--output", "json").out


def test_a_run_here_tells_at_its_end_what_tests_have_come_to(tmp_path: Path) -> None:
    write(tmp_path, node_of("unit", CASES, 1), node_of("api", ['<testcase name="only"/>']))
    ended = run(tmp_path, output="text")
    lines = told_in(ended.out)
    assert sorted(lines[:2]) == sorted(TOLD[:2]), ended
    assert lines[2:] == TOLD[2:]


def test_a_run_without_reports_says_nothing_of_tests(tmp_path: Path) -> None:
    write(tmp_path, {"name": "x", "run": "true"})
    assert "tests" not in run(tmp_path, output="text").out

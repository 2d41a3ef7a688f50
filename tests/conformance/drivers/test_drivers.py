"""The promises of the protocol, kept by drivers that are built with the SDK and by what is built in."""

import shutil
import sys
from pathlib import Path

import pytest

from lineshaft.cli.driver_project import driver_project
from lineshaft.sdk.driver.conformance import CASES, Case, Plan, check_case

EXAMPLES = Path(__file__).parents[3] / "examples" / "drivers"
EXAMPLE = EXAMPLES / "checked.py"
IN_SH = EXAMPLES / "upload.sh"
WITHOUT_A_TASK = {"registers", "registers_until_answered", "claims", "ends"}

# As patient as a test may be: nothing that a driver does well takes so long, however busy the machine is.
LEASE_SECONDS = PATIENCE_SECONDS = 200.0


def _built_in(kind: str) -> Plan:
    command = (sys.executable, "-m", "lineshaft", "worker", "--drivers", kind, "--max-load", "1")
    return Plan(command, kind, LEASE_SECONDS, PATIENCE_SECONDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_driver_of_the_sdk_keeps_the_promise(case: Case) -> None:
    plan = Plan((sys.executable, str(EXAMPLE)), None, LEASE_SECONDS, PATIENCE_SECONDS)
    assert (await check_case(plan, case)).problems == ()


@pytest.mark.parametrize("case", [each for each in CASES if each.name in {"registers", "claims", "ends"}])
async def test_a_driver_that_was_just_begun_keeps_the_promise(case: Case, tmp_path: Path) -> None:
    for path, text in driver_project("greet").items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    plan = Plan((sys.executable, str(tmp_path / "driver.py")), "greet", LEASE_SECONDS, PATIENCE_SECONDS)
    assert (await check_case(plan, case)).problems == ()


@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("jq") is None,
    reason="curl or jq is missing; Debian has them in packages of these names",
)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_driver_in_sh_keeps_the_promise(case: Case) -> None:
    plan = Plan((str(IN_SH),), None, LEASE_SECONDS, PATIENCE_SECONDS)
    assert (await check_case(plan, case)).problems == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_driver_of_commands_keeps_the_promise(case: Case) -> None:
    assert (await check_case(_built_in("run"), case)).problems == ()


# What they do with a task needs an engine or a cluster, which tests of their own have.
@pytest.mark.parametrize(
    "case", [each for each in CASES if each.name in WITHOUT_A_TASK], ids=lambda case: case.name
)
@pytest.mark.parametrize("kind", ["build", "deploy"])
async def test_the_drivers_of_images_and_clusters_keep_the_promise(kind: str, case: Case) -> None:
    assert (await check_case(_built_in(kind), case)).problems == ()


@pytest.mark.parametrize("case", [each for each in CASES if each.name in {"registers", "ends"}])
async def test_what_does_nothing_keeps_no_promise(case: Case) -> None:
    plan = Plan((sys.executable, "-c", ""), None, LEASE_SECONDS, PATIENCE_SECONDS)
    assert (await check_case(plan, case)).problems == ("It ended with exit code 0, and it did not register.",)

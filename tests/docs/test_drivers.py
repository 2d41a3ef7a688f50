"""What docs/drivers.md shows of Python does what it says."""

import re
import subprocess
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path

from lineshaft.sdk.driver import Result, Task, driver, serve
from lineshaft.sdk.driver.conformance.kinds import Behaviour
from lineshaft.sdk.driver.task import Context

TEXT = (Path(__file__).parents[2] / "docs" / "drivers.md").read_text("utf-8")
EXAMPLES: list[str] = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def named_in(heading: str) -> set[str]:
    """List what the first column of a table names."""
    rows = TEXT.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`(\w+)(?:\([^)]*\))?`", row.split("|")[1])}


def arguments_of(function: Callable[..., object]) -> set[str]:
    return set(signature(function).parameters)


def test_the_driver_that_is_shown_passes_the_test_that_is_shown(tmp_path: Path) -> None:
    shown_driver, shown_test = EXAMPLES
    (tmp_path / "driver.py").write_text(shown_driver)
    (tmp_path / "test_driver.py").write_text(f"from driver import compile_app\n{shown_test}")
    options = ("-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto")
    tried = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), "test_driver.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert tried.returncode == 0, tried.stdout
    assert "1 passed" in tried.stdout


def test_all_that_a_driver_may_declare_is_explained_and_nothing_else() -> None:
    assert named_in("what `driver` takes | what it means") == arguments_of(driver)


def test_all_that_serving_takes_is_explained_and_nothing_else() -> None:
    assert named_in("what `serve` takes | what it means") == arguments_of(serve) - {"drivers"}


def test_all_that_a_task_has_is_explained_and_nothing_else() -> None:
    public = {name for name in dir(Task) if not name.startswith("_")}
    assert named_in("what a task has") >= public - {"is_cancelled", "wait_cancelled"}
    for name in public | set(Context.__slots__):
        assert re.search(rf"\b{name}\b", TEXT)


def test_all_that_a_result_has_is_explained() -> None:
    for name in (each for each in dir(Result) if not each.startswith("_")):
        assert f"`{name}`" in TEXT or f"`Result.{name}(" in TEXT


def test_each_behaviour_of_the_conformance_suite_is_explained() -> None:
    assert named_in("`behaviour` | what the driver does") == {each.value for each in Behaviour}

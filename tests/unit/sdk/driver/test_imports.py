"""What a program pays that only declares a driver."""

import subprocess
import sys

_ALLOWED = {"model", "ports", "sdk"}
_CODE = "import sys, lineshaft.sdk.driver; print(*sys.modules)"


def test_declaring_a_driver_loads_the_standard_library_and_little_of_ours() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", _CODE], capture_output=True, text=True, check=True, timeout=200
    )
    loaded = shown.stdout.split()
    ours = {name.split(".")[1] for name in loaded if name.startswith("lineshaft.")}
    assert ours == _ALLOWED
    for heavy in ("fastapi", "httpx2", "pydantic", "sqlalchemy", "uvicorn"):
        assert heavy not in loaded


def test_serving_and_testing_a_driver_load_nothing_of_the_server() -> None:
    code = "import sys, lineshaft.sdk.driver.program, lineshaft.sdk.driver.testing; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200
    )
    loaded = shown.stdout.split()
    ours = {name.split(".")[1] for name in loaded if name.startswith("lineshaft.")}
    assert ours <= {"model", "ports", "sdk", "telemetry", "wire"}
    for heavy in ("fastapi", "sqlalchemy", "uvicorn", "yaml", "click"):
        assert heavy not in loaded

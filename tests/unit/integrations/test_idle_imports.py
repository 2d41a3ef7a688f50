"""What an idle worker must not load."""

import subprocess
import sys


def test_the_drivers_can_be_imported_without_their_heavy_libraries() -> None:
    program = (
        "import sys, lineshaft.docker, lineshaft.integrations.kubernetes\n"
        "heavy = {'aiodocker', 'aiohttp', 'botocore', 'httpx2', 'lightkube', 'yaml'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"

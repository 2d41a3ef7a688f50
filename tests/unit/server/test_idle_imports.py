"""What a server that is only starting must not load."""

import subprocess
import sys


def test_a_server_with_a_worker_can_be_imported_without_what_its_first_definition_needs() -> None:
    program = (
        "import sys, lineshaft.server.serve, lineshaft.worker.assembly\n"
        "heavy = {'aiodocker', 'aiohttp', 'alembic', 'asyncpg', 'cel', 'joserfc', 'lightkube', 're2',\n"
        "    'yaml', 'lineshaft.definition.native.document', 'lineshaft.definition.rest_document'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"

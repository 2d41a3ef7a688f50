from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.proof import Proofs
from lineshaft.integrations.git.reach import Reach
from lineshaft.integrations.git.remote import open_remote
from lineshaft.integrations.lfs.endpoint import Endpoint, endpoint_of
from lineshaft.integrations.outgoing import Guard


@pytest.mark.parametrize(
    ("address", "url", "signs_in"),
    [
        ("https://forge.example/foo/bar", "https://forge.example/foo/bar.git/info/lfs", True),
        ("https://forge.example/foo/bar.git", "https://forge.example/foo/bar.git/info/lfs", True),
        ("https://forge.example/foo/bar.git/", "https://forge.example/foo/bar.git/info/lfs", True),
        ("http://a:b@forge.example:81/bar", "http://forge.example:81/bar.git/info/lfs", True),
        ("git://forge.example:9418/bar.git", "https://forge.example/bar.git/info/lfs", False),
        ("git://[2001:db8::1]/bar", "https://[2001:db8::1]/bar.git/info/lfs", False),
    ],
)
async def test_the_server_is_found_by_the_repositorys_address(
    tmp_path: Path, address: str, url: str, *, signs_in: bool
) -> None:
    git = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    reach = Reach(git, Guard(allow_private=True), Proofs(), timedelta(seconds=9), ())
    assert await endpoint_of(open_remote(address, ()), reach) == Endpoint(url, signs_in=signs_in)

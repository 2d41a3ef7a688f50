"""The stores that the suite is run against."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.integrations.object_store import ObjectStore
from lineshaft.ports.blobs import Blobs
from s3_server import BUCKET


@pytest.fixture(params=["folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Open an empty store of blobs."""
    if request.param == "folder":
        return BlobFolder(tmp_path)
    environ: Mapping[str, str] = request.getfixturevalue("s3")
    return ObjectStore.open(f"s3://{BUCKET}/{tmp_path.name}", environ)

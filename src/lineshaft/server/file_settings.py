"""The settings of kept files: how much is kept, and for how long."""

from datetime import timedelta
from typing import Final

from pydantic import Field

from lineshaft.executors.settings import MachineSettings
from lineshaft.services.files.limits import FileLimits

_GIB: Final = 1024**3
_LARGEST_GIB: Final = 1_000_000
_LONGEST_DAYS: Final = 36_500


class FileSettings(MachineSettings):
    """How much of artifacts, results and caches is kept, and for how long.

    Attributes:
        artifact_gib: how many GiB one artifact, result or cache may have.
        run_artifacts_gib: how many GiB the artifacts and results of a run may have together.
        pipeline_caches_gib: how many GiB the caches of a pipeline may have together.
        keep_caches_days: how many days a cache is kept that nobody uses.
    """

    artifact_gib: float = Field(default=10, gt=0, le=1024)
    run_artifacts_gib: float = Field(default=50, gt=0, le=_LARGEST_GIB)
    pipeline_caches_gib: float = Field(default=10, gt=0, le=_LARGEST_GIB)
    keep_caches_days: float = Field(default=14, gt=0, le=_LONGEST_DAYS)

    @property
    def file_limits(self) -> FileLimits:
        """How much is kept, and for how long."""
        return FileLimits(
            artifact_bytes=int(self.artifact_gib * _GIB),
            run_bytes=int(self.run_artifacts_gib * _GIB),
            cache_bytes=int(self.pipeline_caches_gib * _GIB),
            caches_for=timedelta(days=self.keep_caches_days),
        )

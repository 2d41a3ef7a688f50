"""Git LFS: files of a commit that are pointers, and the content that they point to."""

from lineshaft.integrations.lfs.large_files import LargeFiles
from lineshaft.integrations.lfs.object_store import ObjectStore

__all__ = ["LargeFiles", "ObjectStore"]

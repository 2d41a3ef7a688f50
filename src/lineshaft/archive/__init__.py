"""Archives: files are found and packed as they are read, and unpacked with nothing believed."""

from lineshaft.archive.extraction import extract
from lineshaft.archive.finding import Finding, LeftOut, TooManyFilesError
from lineshaft.archive.limits import Limits
from lineshaft.archive.opened import FileChangedError, read_at_most, single_file
from lineshaft.archive.path_rules import PathRules
from lineshaft.archive.tar_writing import packed_tar
from lineshaft.archive.zip_writing import packed_zip

__all__ = [
    "FileChangedError",
    "Finding",
    "LeftOut",
    "Limits",
    "PathRules",
    "TooManyFilesError",
    "extract",
    "packed_tar",
    "packed_zip",
    "read_at_most",
    "single_file",
]

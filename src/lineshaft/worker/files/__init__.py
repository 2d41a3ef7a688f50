"""The files of an attempt: what it finds in its workspace, and what is kept of that."""

from lineshaft.worker.files.attempt_files import with_files
from lineshaft.worker.files.no_files import NoFiles
from lineshaft.worker.files.patient_files import PatientFiles

__all__ = ["NoFiles", "PatientFiles", "with_files"]

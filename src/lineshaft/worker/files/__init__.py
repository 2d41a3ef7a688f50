"""The files of an attempt: what it finds in its workspace, and what is kept of that."""

from lineshaft.sdk.agent.no_files import NoFiles
from lineshaft.sdk.agent.patient_files import PatientFiles
from lineshaft.worker.files.attempt_files import with_files
from lineshaft.worker.files.keeping import keep_files
from lineshaft.worker.files.restoring import FoundCaches

__all__ = ["FoundCaches", "NoFiles", "PatientFiles", "keep_files", "with_files"]

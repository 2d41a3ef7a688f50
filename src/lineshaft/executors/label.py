"""Labels: how what belongs to an attempt is recognised on its machine, whatever has become of its worker."""

import hashlib
from pathlib import Path
from typing import Final

from lineshaft.model.attempt import AttemptAddress

LABEL_VARIABLE: Final = "LINESHAFT_PROCESS_LABEL"
"""Carries the label in the environment of processes; the labels of workers within workers follow each other,
outermost first, with a space between."""


def label_prefix(data: Path) -> str:
    """Make the prefix of all labels of the worker whose data folder this is.

    The folder's path, device and inode go into it, so that workers of other folders, and workers that see a
    folder of the same path in a container of their own, have other prefixes.

    Args:
        data: the folder, which must be there.
    """
    real = data.resolve(strict=True)
    status = real.stat()
    identity = f"{status.st_dev}:{status.st_ino}:{real}"
    return f"lineshaft-{hashlib.sha256(identity.encode(errors='surrogateescape')).hexdigest()[:24]}/"


def attempt_label(prefix: str, address: AttemptAddress) -> str:
    """Make the label of an attempt.

    Args:
        prefix: from `label_prefix`.
        address: which attempt.
    """
    return f"{prefix}{address.run_id}/{address.node}/{address.attempt}"

"""The first process of each container: a program of ours that needs nothing of the image, and what it says.

Its source, `first.c`, says what it does and why; `build.sh` builds it for each kind of processor.
"""

from lineshaft.executors.docker.first.program import FirstProgram
from lineshaft.executors.docker.first.report import (
    Begun,
    Exited,
    Killed,
    NoFolder,
    NoProgram,
    Report,
    read_line,
)

__all__ = ["Begun", "Exited", "FirstProgram", "Killed", "NoFolder", "NoProgram", "Report", "read_line"]

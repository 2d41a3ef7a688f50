"""Ten stages in sequence, each in a fresh checkout of a local bare repository."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from measure.server_process import clean_environment
from systems.system import Job, System
from workloads.workload import Figure, Sample, seconds_of_run, take_turns

_STAGES: Final = 10
_FOLDERS: Final = 10
_FILES_A_FOLDER: Final = 10
_FILE_LINES: Final = 100

# Fails where the file is missing, and where an earlier stage has been in the same workspace.
_COMMAND: Final = "test -f folder-9/file-9.txt && test ! -e was-here && : > was-here"


class Checkout:
    """What a checkout adds to a stage."""

    name = "checkout"
    repetitions = 5
    figures: Mapping[str, Figure] = {
        "checkout": Figure("10 sequential stages, each in a fresh checkout of 100 files", "s")
    }

    def run(self, systems: Sequence[System], repetitions: int, folder: Path) -> Iterator[Sample]:
        """Time runs from the trigger to the end; an unmeasured one lets a system make its mirror."""
        job = Job("checkout", (_COMMAND,) * _STAGES, repository=_make_repository(folder / "mirrors"))
        return take_turns(
            systems,
            [job],
            repetitions,
            folder,
            lambda server: {"checkout": seconds_of_run(server, job)},
            unmeasured=1,
        )


def _make_repository(folder: Path) -> Path:
    """Commit a hundred files and clone them bare."""
    work, bare = folder / "work", folder / "sample.git"
    for folder_number in range(_FOLDERS):
        for file_number in range(_FILES_A_FOLDER):
            file = work / f"folder-{folder_number}/file-{file_number}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = (
                f"line {line} of file {file_number} in folder {folder_number}\n"
                for line in range(_FILE_LINES)
            )
            file.write_text("".join(lines))
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    for command in (
        ("init", "--quiet", "--initial-branch", "main", str(work)),
        ("-C", str(work), "add", "."),
        ("-C", str(work), *identity, "commit", "--quiet", "--message", "A hundred files"),
        ("clone", "--quiet", "--bare", "--no-local", str(work), str(bare)),
    ):
        subprocess.run(["git", *command], check=True, env=clean_environment(folder))
    return bare

"""The settings of a machine that work is done on, whichever program does it there."""

import os
import re
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field
from pydantic_settings import NoDecode

from lineshaft.model.errors import ConfigurationError
from lineshaft.model.memory_size import memory_bytes_of
from lineshaft.model.placement import LONGEST_LABEL, is_label
from lineshaft.sdk.config import CONFIG_VARIABLE, default_path
from lineshaft.sdk.settings import Settings

_FEWEST_SLOTS: Final = 2
"""Two attempts can go on even on the smallest machine, so that a task that only waits blocks nobody."""

_MOST_LABELS: Final = 99
"""One less than a worker may have, for that of its executor."""

_LONGEST_URL: Final = 2048
KNOWN_HOSTS: Final = Path("/etc/ssh/ssh_known_hosts")
"""Where a machine keeps the keys of hosts for all of its users (ssh_config(5))."""

_LONGEST_IMAGE: Final = 1024
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_SECONDS: Final = 365 * 86_400
_MOST_MEMORY_BYTES: Final = 2**53 - 1
"""The largest whole number that every reader of JSON understands."""


class SandboxChoice(StrEnum):
    """Whether tasks of the `process` executor run in a sandbox."""

    AUTO = "auto"
    BWRAP = "bwrap"
    NONE = "none"


class ExecutorChoice(StrEnum):
    """In what tasks run."""

    PROCESS = "process"
    DOCKER = "docker"

    @property
    def label(self) -> str:
        """What a worker with this executor says of itself besides its own labels."""
        return f"executor:{self.value}"


class LogLevel(StrEnum):
    """How much a program tells of what it does."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def default_data() -> Path:
    """Name the folder where state is kept by default, after the XDG Base Directory Specification.

    It belongs to the user and not to the folder that a program is started from: whoever starts Lineshaft
    again from elsewhere finds the same pipelines and runs.

    Raises:
        ConfigurationError: the user has no home folder.
    """
    try:
        return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "lineshaft"
    except RuntimeError as error:
        raise ConfigurationError(
            "There is no home folder to keep data in.", advice="Set --data or LINESHAFT_DATA."
        ) from error


def default_slots() -> int:
    """Count the processors that this process may use, and take two at least."""
    affinity = getattr(os, "sched_getaffinity", None)  # Elsewhere than on Linux, all processors count.
    return max(_FEWEST_SLOTS, (os.cpu_count() or 1) if affinity is None else len(affinity(0)))


def _split(paths: Any) -> Any:
    return [path for path in paths.split(os.pathsep) if path] if isinstance(paths, str) else paths


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _labels(said: Any) -> Any:
    labels = [label for label in map(str.strip, said.split(",")) if label] if isinstance(said, str) else said
    if not isinstance(labels, list | tuple) or len(labels) > _MOST_LABELS or not all(map(_is_label, labels)):
        raise ValueError(
            f"labels are at most {_MOST_LABELS} words of at most {LONGEST_LABEL} characters, separated by "
            "commas: letters, digits and `_ . : / = + -`, and the first of a word a letter, a digit or `_`"
        )
    return tuple(sorted(set(labels)))


def _is_label(label: Any) -> bool:
    return isinstance(label, str) and is_label(label)


def _memory(said: Any) -> Any:
    if said is None:
        return None
    size = said
    if isinstance(said, str):
        written = said.strip()
        size = int(written) if re.fullmatch("[0-9]{1,16}", written) else memory_bytes_of(written)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= _MOST_MEMORY_BYTES:
        raise ValueError("a size is written as 8GiB, 512MiB or 2GB, or as a number of bytes")
    return size


def _time(said: Any) -> Any:
    if said is None or isinstance(said, timedelta):
        return said
    written = re.fullmatch("([0-9]{1,8})([smhd])", said.strip()) if isinstance(said, str) else None
    if written is None or not (seconds := int(written[1]) * _SECONDS[written[2]]) <= _LONGEST_SECONDS:
        raise ValueError("a time is a number with its unit, as 90m, 24h or 7d, and at most 365d; 0s is none")
    return timedelta(seconds=seconds) if seconds else None


Folder = Annotated[Path, AfterValidator(_absolute)]
"""A folder's path, made absolute; `~` stands for the home folder."""


def _http_url(url: str) -> str:
    if len(url) > _LONGEST_URL or re.fullmatch(r"https?://[^\s/]\S*", url) is None:
        raise ValueError("the URL must be that of an HTTP service, such as http://localhost:4318/v1/traces")
    return url


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""The address of an HTTP service."""


class MachineSettings(Settings):
    """What the built-in drivers need to know of the machine that they work on.

    Attributes:
        data: the folder for all that is to survive a restart.
        slots: how many attempts run at once.
        labels: what the worker here says of itself, sorted.
        cpus: how many processors it gives to tasks that say how many they need; None means those of the
            machine.
        memory: how many bytes of memory it gives to tasks that say how much they need; None means that of
            the machine.
        max_load: it takes nothing while the machine's processors are busier than this, from 0 to 1; None
            leaves it to the program.
        workspaces_kept: how many workspaces that nobody uses are kept.
        lfs_gib: how many GiB of what Git LFS keeps for repositories are kept here, too.
        keep_failed: for how long the workspace of a failed attempt is kept; None keeps none.
        git_roots: the folders below which a pipeline's repository may be a local path.
        private_repositories: whether repositories may be fetched from this machine and its private networks.
        sandbox: whether tasks run in a sandbox: `bwrap` insists on it, `auto` takes it where it works.
        executor: in what tasks run: as processes of this machine, or in containers of its Docker engine.
        default_image: the image of tasks in containers that name none; None refuses these.
        docker_host: the Docker engine's address; None means the engine's own default.
        kubeconfig: the kubeconfig file; None means Kubernetes' own default.
        ssh_agent: whether tasks that ask for it may use the ssh agent that SSH_AUTH_SOCK names.
        ssh_known_hosts: the file with the keys of hosts that tasks in containers may reach by ssh.
        grace_seconds: how long a task that is told to stop may take before it is killed.
        ignore_images: whether a task that asks for a container image or services runs without them.
        otlp_traces_endpoint: where build entry points send their spans; None means into their own logs.
        otlp_logs_endpoint: where they send their log records; None means into their own logs.
        log_level: how much is told on standard error.
    """

    data: Folder = Field(default_factory=default_data)
    slots: int = Field(default_factory=default_slots, ge=1, le=10_000)
    labels: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_labels)] = ()
    cpus: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    memory: Annotated[int | None, BeforeValidator(_memory)] = None
    max_load: float | None = Field(default=None, gt=0, le=1, allow_inf_nan=False)
    workspaces_kept: int = Field(default=16, ge=0, le=100_000)
    lfs_gib: int = Field(default=10, ge=0, le=1_000_000)
    keep_failed: Annotated[timedelta | None, BeforeValidator(_time)] = None
    git_roots: Annotated[tuple[Folder, ...], NoDecode, BeforeValidator(_split)] = ()
    private_repositories: bool = True
    sandbox: SandboxChoice = SandboxChoice.AUTO
    executor: ExecutorChoice = ExecutorChoice.PROCESS
    default_image: Annotated[str | None, Field(min_length=1, max_length=_LONGEST_IMAGE)] = None
    docker_host: str | None = Field(
        default=None, validation_alias=AliasChoices("LINESHAFT_DOCKER_HOST", "DOCKER_HOST")
    )
    kubeconfig: Folder | None = Field(
        default=None, validation_alias=AliasChoices("LINESHAFT_KUBECONFIG", "KUBECONFIG")
    )
    ssh_agent: bool = False
    ssh_known_hosts: Folder = KNOWN_HOSTS
    grace_seconds: float = Field(default=10, ge=0, le=3600)
    ignore_images: bool = False
    otlp_traces_endpoint: HttpUrl | None = None
    otlp_logs_endpoint: HttpUrl | None = None
    log_level: LogLevel = LogLevel.INFO

    def private_paths(self) -> tuple[Path, ...]:
        """Name the folders and files that are this program's own, and no business of the tasks here."""
        # What is known of other hosts is no secret, and programs in a sandbox read it, too.
        said = [
            value
            for name in type(self).names()
            if name != "ssh_known_hosts" and isinstance(value := getattr(self, name), Path)
        ]
        named = os.environ.get(CONFIG_VARIABLE)
        configuration = self.config or (Path(named) if named else default_path())
        return (*said, *(() if configuration is None else (configuration,)))

"""What a command sees of the machine within a sandbox, put into words for bwrap(1)."""

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.executors.process.sandbox import inner

_PROGRAM: Final = "bwrap"

_CAPABILITIES: Final = (
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE"),
    *("NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)
"""What is left to root: enough to install packages, and nothing by which one gets out (capabilities(7))."""

_OF_THE_SYSTEM: Final = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/sys")
_CGROUPS: Final = "/sys/fs/cgroup"

_DOORS: Final = (
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
)
_USER_DOORS: Final = ("bus", "docker.sock", "podman/podman.sock", "systemd/private")
"""Sockets of programs that would start others for a command, outside of the sandbox."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The same machine for every command, but for what is hidden: the worker's own.

    Each command has a mount namespace and a PID namespace of its own (namespaces(7)); network, users, devices
    and all other files are those of the machine.

    Attributes:
        program: bwrap.
        hidden: folders that look empty, and files that cannot be opened; what is not there when a command
            starts is left out.
    """

    program: Path
    hidden: tuple[Path, ...] = ()

    def arguments(self, writable: Iterable[Path], readable: Iterable[Path]) -> list[str]:
        """Make the call that starts the first process of a sandbox.

        Args:
            writable: folders among the hidden ones that this command has nevertheless.
            readable: those that it may read.
        """
        hidden = _outermost(self.hidden)
        folders = [path for path, is_folder in hidden.items() if is_folder]
        own = (Path(sys.prefix), Path(sys.base_prefix), Path(inner.__file__))
        return [
            str(self.program),
            *("--dev-bind", "/", "/"),
            *("--unshare-pid", "--as-pid-1", "--proc", "/proc", "--die-with-parent"),
            *_bounds_of_root(),
            *_words("--tmpfs", folders),
            *_pairs("--ro-bind", ((os.devnull, path) for path, is_folder in hidden.items() if not is_folder)),
            *_pairs("--ro-bind", _shown((*own, *readable), folders)),
            *_pairs("--bind", _shown(writable, folders)),
            *_words("--remount-ro", folders),
            *("--", sys.executable, "-I", "-S", inner.__file__),
        ]


def find_sandbox(
    hidden: Iterable[Path], environment: Mapping[str, str] = os.environ, sockets: Sequence[Path] = ()
) -> Sandbox | None:
    """Make a sandbox that also hides what starts programs for others: container engines and service managers.

    Args:
        hidden: the worker's own folders and files.
        environment: the worker's, which says where such sockets are.
        sockets: further ones.

    Returns:
        It, which is still to be tried; None where there is no bwrap.
    """
    program = shutil.which(_PROGRAM)
    if program is None or sys.platform != "linux":
        return None
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    doors = (*map(Path, _DOORS), *(runtime / door for door in _USER_DOORS), *sockets)
    return Sandbox(Path(program).resolve(), (*hidden, *doors))


def _outermost(paths: Iterable[Path]) -> dict[Path, bool]:
    """Resolve what is there, leave out what lies in another one, and tell which are folders."""
    found: dict[Path, bool] = {}
    for path in sorted({path.resolve() for path in paths}):
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError:
            continue
        if not any(path.is_relative_to(outer) for outer, outer_is_folder in found.items() if outer_is_folder):
            found[path] = is_folder
    return found


def _shown(paths: Iterable[Path], folders: Sequence[Path]) -> list[tuple[str, Path]]:
    real = dict.fromkeys(path.resolve() for path in paths)
    return [(str(path), path) for path in real if any(path.is_relative_to(folder) for folder in folders)]


def _bounds_of_root() -> list[str]:
    """Leave root fewer rights, and none to set the system up; control groups may be made still."""
    if os.geteuid() != 0:
        return []
    return [
        *("--cap-drop", "ALL", *_words("--cap-add", (f"CAP_{name}" for name in _CAPABILITIES))),
        *_pairs("--ro-bind", ((path, Path(path)) for path in _OF_THE_SYSTEM if Path(path).exists())),
        *("--bind-try", _CGROUPS, _CGROUPS),
    ]


def _words(option: str, values: Iterable[object]) -> list[str]:
    return [word for value in values for word in (option, str(value))]


def _pairs(option: str, pairs: Iterable[tuple[str, Path]]) -> list[str]:
    return [word for source, target in pairs for word in (option, source, str(target))]

"""The files in which pipelines are written: where they are looked for, and which are meant."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from lineshaft.model.errors import NotFoundError

STANDARD_INPUT: Final = "-"
NAMES: Final = ("lineshaft.yml", "lineshaft.yaml", "lineshaft.json")
"""The names of a pipeline at a repository's root; the first that is there is taken."""

VARIABLE: Final = "LINESHAFT_FILE"
"""The variable of the environment that names a file, or folder, to take where nothing is named."""

FOLDER: Final = ".cicd-pipelines"
"""The folder each file of which is a pipeline."""

_SUFFIXES: Final = frozenset({".yml", ".yaml"})
_IN_SHORT: Final = f"{', '.join(NAMES)}, or a folder {FOLDER}"


def pipeline_files(
    named: Sequence[str], folder: Path = Path(), environment: Mapping[str, str] = os.environ
) -> list[str]:
    """List the files that somebody means.

    Args:
        named: files, folders, and `-` for standard input; what is not a folder need not be there.
        folder: where to look when nothing is named.
        environment: the environment's variables, of which `VARIABLE` goes before the names in the folder.

    Raises:
        NotFoundError: nothing is named, or a folder is, and no pipeline is there.
    """
    if not named:
        chosen = environment.get(VARIABLE)
        return _files_of(folder) if not chosen else list(_each_file([str(folder / chosen)]))
    return list(dict.fromkeys(_each_file(named)))


def pipeline_file(named: str | None, folder: Path = Path()) -> str:
    """Name the one file that somebody means.

    Raises:
        NotFoundError: there is no pipeline, or more than one.
    """
    files = pipeline_files((named,) if named else (), folder)
    if len(files) > 1:
        raise NotFoundError(
            f"There are several pipelines: {', '.join(files)}.", advice="Name the one that you mean."
        )
    return files[0]


def folder_of(file: str) -> Path:
    """Name the folder that a pipeline is about: the one that its file is in, or the one around `FOLDER`."""
    folder = Path(file).parent
    return folder.parent if folder.name == FOLDER else folder


def _each_file(named: Iterable[str]) -> Iterable[str]:
    for name in named:
        if name != STANDARD_INPUT and (path := Path(name)).is_dir():
            yield from _files_of(path)
        else:
            yield name


def _files_of(folder: Path) -> list[str]:
    """List the pipelines of a repository's root, or of a folder each file of which is one."""
    if folder.resolve().name == FOLDER:
        return _files_in(folder)
    for name in NAMES:
        if (path := folder / name).is_file():
            return [str(path)]
    found = _files_in(folder / FOLDER) if (folder / FOLDER).is_dir() else []
    if not found:
        raise NotFoundError(
            f"There is no pipeline in '{folder}'.", advice=f"It would be {_IN_SHORT}; or name the file."
        )
    return found


def _files_in(folder: Path) -> list[str]:
    found = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
    if not found:
        raise NotFoundError(f"There is no pipeline in '{folder}'.", advice="Its files would end with .yml.")
    return [str(path) for path in found]

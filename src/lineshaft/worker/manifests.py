"""The manifests that a source holds: Kubernetes objects as YAML and JSON."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lineshaft.sdk.task_file import UnusableFileError, read_regular
from lineshaft.worker.confined import OutsideError, confined

FILE_LIMIT_BYTES: Final = 4 * 1024 * 1024
"""The most that one file may hold."""

VALUES_LIMIT: Final = 200_000
"""How many values one file may hold, those behind aliases counted each time."""

MANIFESTS_LIMIT: Final = 1000
"""How many objects one task may apply."""

_DEEPEST: Final = 200
_DIRECTIVES_LIMIT: Final = 100
_MERGE: Final = "tag:yaml.org,2002:merge"
_MERGED_AT_ONCE: Final = 100
_MERGED_LIMIT: Final = 10_000
_SUFFIXES: Final = (".json", ".yaml", ".yml")


class BadManifestsError(Exception):
    """The manifests cannot be read; the message is a sentence."""


def read_manifests(workspace: Path, path: str) -> Sequence[Mapping[str, Any]]:
    """Read all objects of a file, or of a folder's YAML and JSON files in the order of their names.

    A file may hold several documents. A `List` is taken apart. Nothing may be at work in the workspace.

    Args:
        workspace: what the path must not lead out of.
        path: the file or folder.

    Raises:
        BadManifestsError: there is none, or what is there is no manifest.
    """
    try:
        place = confined(workspace, path)
        files = _files_in(place) if place.is_dir() else [place]
        texts = {file.name: read_regular(confined(workspace, str(file)), FILE_LIMIT_BYTES) for file in files}
    except (OutsideError, UnusableFileError) as error:
        raise BadManifestsError(
            f"The manifests {path!r} cannot be read: a path of theirs {error}."
        ) from error
    manifests = [each for name, data in texts.items() for each in _manifests_of(name, data)]
    if not manifests:
        raise BadManifestsError(f"There is no manifest in {path!r}.")
    if len(manifests) > MANIFESTS_LIMIT:
        raise BadManifestsError(f"{path!r} holds more than {MANIFESTS_LIMIT} manifests.")
    return manifests


def _files_in(folder: Path) -> list[Path]:
    return sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES), key=lambda path: path.name
    )


def _manifests_of(name: str, data: bytes) -> Iterator[Mapping[str, Any]]:
    for document in _documents(name, data):
        match document:
            case None:
                continue
            case {"kind": "List", "items": list(items)}:
                found = items
            case _:
                found = [document]
        for manifest in found:
            if not isinstance(manifest, dict) or not all(isinstance(key, str) for key in manifest):
                raise BadManifestsError(f"{name} holds a document that is no Kubernetes object.")
            yield manifest


def _documents(name: str, data: bytes) -> list[object]:
    import yaml

    try:
        _check_shape(data)
        documents = list(yaml.load_all(data, Loader=_loader()))
        _check_values(documents)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        where = f" from line {line} on" if line else ""
        raise BadManifestsError(f"{name} is no YAML{where}.") from error
    except _TooMuchError as error:
        raise BadManifestsError(
            f"{name} is nested too deep, or holds more than {VALUES_LIMIT:,} values."
        ) from error
    except (ValueError, TypeError) as error:
        raise BadManifestsError(f"{name} holds a value that JSON has not.") from error
    return documents


class _TooMuchError(Exception):
    pass


def _base() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _check_shape(data: bytes) -> None:
    """Look at the events before anything is made of them: libyaml's loader goes as deep as its stack."""
    import yaml

    if data.count(b"\n%") > _DIRECTIVES_LIMIT:
        raise _TooMuchError
    depth = 0
    for count, event in enumerate(yaml.parse(data, Loader=_base())):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST or count > 2 * VALUES_LIMIT:
            raise _TooMuchError


def _loader() -> Any:
    """Make a loader of plain values: a date stays the text that it is, and merges stay within limits."""
    import yaml

    base: Any = _base()

    class ManifestLoader(base):  # type: ignore[misc]
        def flatten_mapping(self, node: "yaml.MappingNode") -> None:
            for key, value in node.value:
                if key.tag == _MERGE and len(value.value) > _MERGED_AT_ONCE:
                    raise _TooMuchError
            super().flatten_mapping(node)
            if len(node.value) > _MERGED_LIMIT:
                raise _TooMuchError

    ManifestLoader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return ManifestLoader


def _check_values(documents: list[object]) -> None:
    """Walk what is there as it would be written out, so that aliases count as what they stand for."""
    seen = 0
    waiting: list[tuple[object, int]] = [(document, 0) for document in documents]
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > VALUES_LIMIT or depth > _DEEPEST:
            raise _TooMuchError
        match value:
            case dict():
                waiting.extend((inner, depth + 1) for pair in value.items() for inner in pair)
            case list():
                waiting.extend((inner, depth + 1) for inner in value)
            case None | str() | int() | float():
                pass
            case _:
                raise TypeError(type(value))

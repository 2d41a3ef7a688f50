"""What a task says of its files that are kept, as the model has it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any, Final

from lineshaft.model.kept_files import ArtifactRule, CacheRule, KeptWhen, ResultRule, ResultType

_UNNAMED_ARTIFACT: Final = "artifact"
_WILD: Final = frozenset("*?[]{}\\$")


def result_rules(said: Sequence[Mapping[str, Any]]) -> tuple[ResultRule, ...]:
    """Make the rules of a checked `results`; a name that is there already gets a number."""
    names = _unique(keys.get("name") or _result_name(keys) for keys in said)
    return tuple(
        ResultRule(ResultType(keys["type"]), keys["path"], name)
        for keys, name in zip(said, names, strict=True)
    )


def artifact_rules(said: Sequence[Mapping[str, Any]]) -> tuple[ArtifactRule, ...]:
    """Make the rules of a checked `artifacts`; a name that is there already gets a number."""
    names = _unique(keys.get("name") or _UNNAMED_ARTIFACT for keys in said)
    return tuple(
        ArtifactRule(
            name=name,
            paths=tuple(keys["paths"]),
            expire=_lifetime(keys.get("expire")),
            when=KeptWhen(keys.get("when", KeptWhen.SUCCESS)),
        )
        for keys, name in zip(said, names, strict=True)
    )


def cache_rules(said: Sequence[Mapping[str, Any]]) -> tuple[CacheRule, ...]:
    """Make the rules of a checked `cache`; one without a key has its paths for one."""
    return tuple(
        CacheRule(
            key=keys.get("key", " ".join(keys["paths"])),
            paths=tuple(keys["paths"]),
            restore=tuple(keys.get("restore", ())),
        )
        for keys in said
    )


def _result_name(keys: Mapping[str, Any]) -> str:
    if keys["type"] in (ResultType.JUNIT, ResultType.COVERAGE):
        return str(keys["type"])
    name = PurePosixPath(keys["path"]).name
    return str(keys["type"]) if not name or _WILD.intersection(name) else name


def _unique(names: Iterable[str]) -> Iterator[str]:
    taken: set[str] = set()
    for name in names:
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        taken.add(free)
        yield free


def _lifetime(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)

"""Resources as they are wanted, and as they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lineshaft.model.errors import InvalidInputError, Problem, VersionMismatchError
from lineshaft.model.resource import Observed, Resource, ResourceEvent
from lineshaft.model.run import Run
from lineshaft.services.resources.documents import is_same, merged


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a resource is to be.

    Attributes:
        spec: what is wanted of the world; JSON that fits the type's schema.
        metadata: texts by name.
        pipeline: the name of the pipeline that it goes along; None where it goes to all drivers of its type.
    """

    spec: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    pipeline: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A resource as it stands.

    Attributes:
        resource: its newest version.
        observed: how far it has come.
        event: what has happened to it by the call that answers this; None where nothing did.
        run: that carries it to its drivers; None where nothing happened, or no driver hears of it.
    """

    resource: Resource
    observed: Observed
    event: ResourceEvent | None = None
    run: Run | None = None


def expect(what: str, expected: int | None, version: int) -> None:
    """See whether something is at the version on top of which it is to be changed.

    Args:
        what: the beginning of a sentence.
        expected: that version; 0 for none, None for any.
        version: the one that there is; 0 where there is none.

    Raises:
        VersionMismatchError: it is at another one.
    """
    if expected is None or expected == version:
        return
    now = f"is at version {version}" if version else "is not there"
    top = f"on top of version {expected}" if expected else "where there was none"
    raise VersionMismatchError(
        f"{what} {now}, and was to be set {top}.",
        version=version,
        advice="Read it again, and change what it is now.",
    )


def is_so(resource: Resource, wanted: Wanted) -> bool:
    """Tell whether a resource says already what it is to say."""
    rest = (resource.metadata, resource.pipeline) == (wanted.metadata, wanted.pipeline)
    return rest and is_same(resource.spec, wanted.spec)


def patched(resource: Resource, patch: Mapping[str, Any]) -> Wanted:
    """Apply a patch to what a resource says.

    Raises:
        InvalidInputError: it changes anything else, or leaves what is no resource.
    """
    said = {"spec": resource.spec, "metadata": resource.metadata, "pipeline": resource.pipeline}
    problems = [
        Problem(f"/{name}", "cannot be changed: a patch is of `spec`, `metadata` and `pipeline`")
        for name in patch
        if name not in said
    ]
    result = merged(said, patch)
    metadata, pipeline = result.get("metadata", {}), result.get("pipeline")
    texts = isinstance(metadata, Mapping) and all(isinstance(each, str) for each in metadata.values())
    if not texts:
        problems.append(Problem("/metadata", "must be an object of texts"))
    if not isinstance(pipeline, str | None):
        problems.append(Problem("/pipeline", "must be the name of a pipeline, or null"))
    if problems:
        raise InvalidInputError("The resource cannot be patched so.", problems=problems)
    return Wanted(result.get("spec", {}), metadata, pipeline)

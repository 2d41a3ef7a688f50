"""The object that a manifest describes, and its place in a cluster's API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.work import DeployWork

# Each of these becomes a part of a URL's path, so nothing may stand in them that would change the path.
_API_VERSION: Final = re.compile(r"([a-z0-9][a-z0-9.-]*/)?[a-z0-9]+")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]*")


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object is called.

    Attributes:
        api_version: `v1`, or a group and a version such as `apps/v1`.
        kind: its kind.
        name: its name.
    """

    api_version: str
    kind: str
    name: str

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.kind} {self.name}"

    @property
    def api_path(self) -> str:
        """Where the API has its group and version, relative to the server's URL."""
        return f"apis/{self.api_version}" if "/" in self.api_version else f"api/{self.api_version}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is in a cluster.

    Attributes:
        identity: what it is called.
        collection: the path of all objects beside it, relative to the server's URL.
    """

    identity: Identity
    collection: str

    @property
    def path(self) -> str:
        """The object's own path."""
        return f"{self.collection}/{self.identity.name}"


def identify(work: DeployWork) -> Identity | Reason:
    """Read from a manifest what it describes, or tell why it cannot be applied."""
    namespace = work.cluster.namespace
    metadata = work.manifest.get("metadata")
    if not isinstance(metadata, Mapping):
        return _refused("it has no metadata")
    if metadata.get("namespace", namespace) != namespace:
        return _refused(
            f"its namespace is {metadata['namespace']!r}, but the stage deploys into {namespace!r}"
        )
    if not _NAMESPACE.fullmatch(namespace):
        return _refused(f"the namespace {namespace!r} is no name of one")
    parts = {
        "apiVersion": (work.manifest.get("apiVersion"), _API_VERSION),
        "kind": (work.manifest.get("kind"), _NAME),
        "metadata.name": (metadata.get("name"), _NAME),
    }
    for field, (value, allowed) in parts.items():
        if not isinstance(value, str) or not allowed.fullmatch(value):
            return _refused(f"its {field} is missing or cannot be one")
    return Identity(work.manifest["apiVersion"], work.manifest["kind"], metadata["name"])


def _refused(cause: str) -> Reason:
    return Reason(ReasonCode.MANIFEST_REFUSED, f"The manifest cannot be applied: {cause}.")


def find_place(identity: Identity, namespace: str, served: Mapping[str, Any]) -> Place | None:
    """Find an object's place in what the API serves of its group and version; None if its kind is unknown.

    Args:
        identity: what the object is called.
        namespace: where it goes if its kind has namespaces.
        served: the APIResourceList of the group and version
            (https://kubernetes.io/docs/reference/using-api/api-concepts/).
    """
    for resource in served.get("resources") or ():
        match resource:
            case {"kind": kind, "name": str() as plural} if kind == identity.kind and "/" not in plural:
                inside = f"namespaces/{namespace}/" if resource.get("namespaced") is True else ""
                return Place(identity, f"{identity.api_path}/{inside}{plural}")
            case _:
                pass
    return None

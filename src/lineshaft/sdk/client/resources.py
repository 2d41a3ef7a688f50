"""The calls of the API client for resources and their definitions."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.resource import ResourceDefinitionView, ResourceVersionView, ResourceView
from lineshaft.sdk.transport import read

_DEFINITIONS: Final = "/v1/resource-definitions"


class ResourceCalls(Calls):
    """What a client asks for about resources.

    Calls that change something take `expected`, the version on top of which alone they do so: 0 where there
    is to be none, None for any. They raise `VersionMismatchError` where it is at another one.
    """

    def resource_definitions(self, *, page_size: int = PAGE) -> Iterator[ResourceDefinitionView]:
        """Go through the definitions by name, a page at a time (GET /v1/resource-definitions)."""
        query = {"limit": str(page_size)}
        return self._transport.pages(_DEFINITIONS, query, "after", ResourceDefinitionView.from_document)

    def resource_definition(self, name: str) -> ResourceDefinitionView:
        """Show a definition (GET /v1/resource-definitions/{name}).

        Raises:
            ResourceNotFoundError: there is none of that name.
        """
        answer = self._transport.request("GET", f"{_DEFINITIONS}/{quote(name, safe='')}")
        return read(answer, ResourceDefinitionView.from_document)

    def define_resource(
        self,
        name: str,
        schema: Mapping[str, Any],
        *,
        description: str = "",
        resync: str | None = None,
        expected: int | None = None,
    ) -> ResourceDefinitionView:
        """Make a definition, or replace all of it (PUT /v1/resource-definitions/{name}).

        Args:
            name: the type's.
            schema: the JSON Schema (draft 2020-12) of a spec.
            description: for people.
            resync: how often every resource goes to its drivers again, such as `12h`; None means never.
            expected: see the class.

        Raises:
            SchemaRefusedError: the schema cannot be used; each reason with its place.
            InvalidInputError: the name, the description or the interval is none that a definition may have.
        """
        body = {"schema": schema, "description": description, "resync": resync}
        path = f"{_DEFINITIONS}/{quote(name, safe='')}"
        answer = self._transport.request("PUT", path, json=body, headers=_condition(expected))
        return read(answer, ResourceDefinitionView.from_document)

    def undefine_resource(self, name: str, *, expected: int | None = None) -> None:
        """Delete a definition (DELETE /v1/resource-definitions/{name}).

        Raises:
            ConflictError: there are resources of the type.
            ResourceNotFoundError: there is none of that name.
        """
        path = f"{_DEFINITIONS}/{quote(name, safe='')}"
        self._transport.request("DELETE", path, headers=_condition(expected))

    def resources(
        self,
        type_name: str | None = None,
        *,
        pipeline: str | None = None,
        states: Collection[str] = (),
        metadata: Mapping[str, str] | None = None,
        page_size: int = PAGE,
    ) -> Iterator[ResourceView]:
        """Go through resources by type and name, a page at a time (GET /v1/resources[/{type}]).

        Args:
            type_name: of this type; None means any.
            pipeline: those that name this pipeline; None means any, or none.
            states: those whose last run is in one of these states; empty means any, or no run.
            metadata: those whose metadata has all of these.
            page_size: how many to ask for at once.
        """
        query: dict[str, str | list[str]] = {"limit": str(page_size)}
        query |= {} if pipeline is None else {"pipeline": pipeline}
        query |= {"state": list(states)} if states else {}
        query |= {"metadata": [f"{name}={text}" for name, text in metadata.items()]} if metadata else {}
        path = "/v1/resources" if type_name is None else f"/v1/resources/{quote(type_name, safe='')}"
        return self._transport.pages(path, query, "after", ResourceView.from_document)

    def resource(self, type_name: str, name: str) -> ResourceView:
        """Show a resource, and how far it has come (GET /v1/resources/{type}/{name}).

        Raises:
            ResourceNotFoundError: there is none of that name.
        """
        return read(self._transport.request("GET", _path(type_name, name)), ResourceView.from_document)

    def apply_resource(
        self,
        type_name: str,
        name: str,
        spec: Mapping[str, Any],
        *,
        metadata: Mapping[str, str] | None = None,
        pipeline: str | None = None,
        expected: int | None = None,
    ) -> ResourceView:
        """Make a resource, or replace all that it says (PUT /v1/resources/{type}/{name}).

        Args:
            type_name: of which type.
            name: its name.
            spec: what is wanted.
            metadata: texts by name.
            pipeline: the name of the pipeline that it goes along; None: to all drivers of its type.
            expected: see the class.

        Raises:
            ForbiddenError: you may not run what it goes along.
            InvalidInputError: its metadata is none, or it names no pipeline that takes it.
            ResourceNotFoundError: there is no such type.
            SpecMisfitError: its spec does not fit the type; each reason with its place.
        """
        body = {"spec": spec, "metadata": metadata or {}, "pipeline": pipeline}
        return self._changed("PUT", _path(type_name, name), expected, body)

    def patch_resource(
        self, type_name: str, name: str, patch: Mapping[str, Any], *, expected: int | None = None
    ) -> ResourceView:
        """Change a resource by a JSON Merge Patch (PATCH /v1/resources/{type}/{name}).

        Args:
            type_name: of which type.
            name: its name.
            patch: of `spec`, `metadata` and `pipeline` (RFC 7396): None removes.
            expected: see the class.

        Raises:
            InvalidInputError: it changes anything else.
            ResourceNotFoundError: there is none of that name.
            SpecMisfitError: what it leaves does not fit the type; each reason with its place.
        """
        return self._changed("PATCH", _path(type_name, name), expected, patch)

    def delete_resource(self, type_name: str, name: str, *, expected: int | None = None) -> ResourceView:
        """Delete a resource, of which its drivers hear (DELETE /v1/resources/{type}/{name}).

        Raises:
            ResourceNotFoundError: there is none of that name.
        """
        return self._changed("DELETE", _path(type_name, name), expected)

    def resync_resource(self, type_name: str, name: str) -> ResourceView:
        """Bring a resource to its drivers once more (POST /v1/resources/{type}/{name}/resync).

        Raises:
            ResourceNotFoundError: there is none of that name.
        """
        return self._changed("POST", f"{_path(type_name, name)}/resync", None)

    def resync_resources(self, type_name: str) -> int:
        """Bring all resources of a type to their drivers once more (POST /v1/resources/{type}/resync).

        Returns:
            How many they are; those whose run goes on are not among them.

        Raises:
            ResourceNotFoundError: there is no such type.
        """
        answer = self._transport.request("POST", f"/v1/resources/{quote(type_name, safe='')}/resync")
        return read(answer, lambda document: int(document["count"]))

    def resource_versions(
        self, type_name: str, name: str, *, page_size: int = PAGE
    ) -> Iterator[ResourceVersionView]:
        """Go through the versions that are kept, newest first (GET /v1/resources/{type}/{name}/versions).

        Raises:
            ResourceNotFoundError: there is none of that name.
        """
        path, query = f"{_path(type_name, name)}/versions", {"limit": str(page_size)}
        return self._transport.pages(path, query, "before", ResourceVersionView.from_document)

    def resource_version(self, type_name: str, name: str, version: int) -> ResourceVersionView:
        """Show one version of a resource (GET /v1/resources/{type}/{name}/{version}).

        Raises:
            ResourceNotFoundError: there is none, or it is too old to be kept.
        """
        answer = self._transport.request("GET", f"{_path(type_name, name)}/{version}")
        return read(answer, ResourceVersionView.from_document)

    def _changed(
        self, method: str, path: str, expected: int | None, body: Mapping[str, Any] | None = None
    ) -> ResourceView:
        said = {} if body is None else {"json": body}
        answer = self._transport.request(method, path, headers=_condition(expected), **said)
        return read(answer, ResourceView.from_document)


def _path(type_name: str, name: str) -> str:
    return f"/v1/resources/{quote(type_name, safe='')}/{quote(name, safe='')}"


def _condition(expected: int | None) -> dict[str, str]:
    if expected is None:
        return {}
    return {"If-Match": f'"{expected}"'} if expected else {"If-None-Match": "*"}

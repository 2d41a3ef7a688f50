"""The calls of the API client for users and what they are to pipelines."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from lineshaft.model.role import Role
from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.client.pipelines import pipeline_path
from lineshaft.sdk.me import MeView
from lineshaft.sdk.transport import read
from lineshaft.sdk.user import GrantView, UserView


class UserCalls(Calls):
    """What a client asks for about users. Names and roles are checked by the server."""

    def me(self) -> MeView:
        """Ask who the caller is (GET /v1/me)."""
        return read(self._transport.request("GET", "/v1/me"), MeView.from_document)

    def change_own_password(self, present: str, new: str) -> None:
        """Change the caller's own password (PUT /v1/me/password), which ends their sessions.

        Raises:
            InvalidInputError: `present` is not the present password, or the new one does not do.
            ForbiddenError: the caller has shown a token.
            ConflictError: the user signs in elsewhere, or the server's settings say the password.
        """
        body = {"password": present, "new_password": new}
        self._transport.request("PUT", "/v1/me/password", json=body)

    def users(self, *, page_size: int = PAGE) -> Iterator[UserView]:
        """Go through all users by name (GET /v1/users), a page at a time."""
        query = {"limit": str(page_size)}
        return self._transport.pages("/v1/users", query, "after", UserView.from_document)

    def user(self, name: str) -> UserView:
        """Read a user, with the roles on single pipelines (GET /v1/users/{name}).

        Raises:
            NotFoundError: there is none of that name.
        """
        return read(self._transport.request("GET", _user(name)), UserView.from_document)

    def create_user(self, name: str, password: str, *, role: Role | None = None) -> UserView:
        """Make a user (POST /v1/users).

        Args:
            name: what they sign in with.
            password: their first one.
            role: for all pipelines and for what belongs to none; None means only what grants say.

        Raises:
            InvalidInputError: the name or the password does not do.
            ConflictError: there is one of that name.
        """
        body = {"name": name, "password": password, "role": None if role is None else role.value}
        return read(self._transport.request("POST", "/v1/users", json=body), UserView.from_document)

    def set_role(self, name: str, role: Role | None) -> UserView:
        """Give a user another role everywhere (PATCH /v1/users/{name}); None takes it away.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: nobody could sign in as an admin any more, or the settings name the user.
        """
        return self._change_user(name, {"role": None if role is None else role.value})

    def set_password(self, name: str, password: str) -> UserView:
        """Give a user another password (PATCH /v1/users/{name}), which ends their sessions.

        Raises:
            NotFoundError: there is none of that name.
            InvalidInputError: the password does not do.
            ForbiddenError: a token is to change its own user's password.
            ConflictError: the server's settings say the password.
        """
        return self._change_user(name, {"password": password})

    def disable_user(self, name: str) -> UserView:
        """Let a user in no more (PATCH /v1/users/{name}), which ends their sessions and tokens.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: nobody could sign in as an admin any more, or the settings name the user.
        """
        return self._change_user(name, {"disabled": True})

    def enable_user(self, name: str) -> UserView:
        """Let a user in again (PATCH /v1/users/{name}).

        Raises:
            NotFoundError: there is none of that name.
        """
        return self._change_user(name, {"disabled": False})

    def delete_user(self, name: str) -> None:
        """Delete a user (DELETE /v1/users/{name}), with their roles, tokens and sessions.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: nobody could sign in as an admin any more, or the settings name the user.
        """
        self._transport.request("DELETE", _user(name))

    def grants(self, pipeline_id: UUID | str, *, page_size: int = PAGE) -> Iterator[GrantView]:
        """Go through who has which role on a pipeline, by name (GET /v1/pipelines/{id}/grants).

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        path = f"{pipeline_path(pipeline_id)}/grants"
        query = {"limit": str(page_size)}
        return self._transport.pages(path, query, "after", GrantView.from_document, subject=pipeline_id)

    def grant(self, pipeline_id: UUID | str, user: str, role: Role) -> GrantView:
        """Give a user a role on a pipeline (PUT /v1/pipelines/{id}/grants/{name}).

        Raises:
            PipelineNotFoundError: there is none of that id.
            NotFoundError: there is no such user.
            ForbiddenError: it is more than the caller has there.
            InvalidInputError: nobody has that role on a single pipeline.
        """
        answer = self._transport.request(
            "PUT", _grant(pipeline_id, user), subject=pipeline_id, json={"role": role.value}
        )
        return read(answer, GrantView.from_document)

    def revoke_grant(self, pipeline_id: UUID | str, user: str) -> None:
        """Take a user's role on a pipeline away (DELETE /v1/pipelines/{id}/grants/{name}).

        Raises:
            PipelineNotFoundError: there is none of that id.
            NotFoundError: the user has no role there.
        """
        self._transport.request("DELETE", _grant(pipeline_id, user), subject=pipeline_id)

    def _change_user(self, name: str, change: Mapping[str, Any]) -> UserView:
        return read(self._transport.request("PATCH", _user(name), json=change), UserView.from_document)


def _user(name: str) -> str:
    return f"/v1/users/{quote(name, safe='')}"


def _grant(pipeline_id: UUID | str, user: str) -> str:
    return f"{pipeline_path(pipeline_id)}/grants/{quote(user, safe='')}"

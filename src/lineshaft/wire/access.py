"""Users, grants and tokens as the API shows them."""

from collections.abc import Iterable
from typing import Any

from lineshaft.model.grant import Grant
from lineshaft.model.principal import Principal
from lineshaft.model.role import Role
from lineshaft.model.token import Token
from lineshaft.model.user import User
from lineshaft.wire.run import time_text

NamedGrants = Iterable[tuple[Grant, str | None]]
"""Grants with the names of their pipelines; None stands for the name of one that was deleted."""


def user_document(user: User) -> dict[str, Any]:
    """Say a user as JSON."""
    return {
        "name": user.name,
        "role": _role(user.role),
        "has_password": user.password_hash != "",
        "issuer": user.issuer,
        "from_settings": user.from_settings,
        "created_at": time_text(user.created_at),
        "disabled_at": time_text(user.disabled_at),
        "last_seen_at": time_text(user.last_seen_at),
    }


def user_detail_document(user: User, grants: NamedGrants) -> dict[str, Any]:
    """Say a user with the roles on single pipelines as JSON."""
    return {**user_document(user), "grants": _grants(grants)}


def grant_document(grant: Grant) -> dict[str, Any]:
    """Say what a user is to a pipeline as JSON."""
    return {"user": grant.user, "pipeline_id": str(grant.pipeline_id), "role": grant.role.value}


def token_document(token: Token) -> dict[str, Any]:
    """Say what is known of a token as JSON."""
    return {**_token(token), "last_used_at": time_text(token.last_used_at)}


def new_token_document(token: Token, text: str) -> dict[str, Any]:
    """Say a token that was made just now as JSON, the token itself with it."""
    return {**_token(token), "token": text}


def me_document(principal: Principal, grants: NamedGrants, token: Token | None) -> dict[str, Any]:
    """Say who calls as JSON."""
    return {
        "name": principal.name,
        "means": principal.means.value,
        "role": _role(principal.roles.everywhere),
        "grants": _grants(grants),
        "token": None if token is None else token_document(token),
    }


def _token(token: Token) -> dict[str, Any]:
    pipelines = token.scope.pipelines
    return {
        "id": str(token.id),
        "user": token.user,
        "name": token.name,
        "role": token.scope.role.value,
        "pipelines": None if pipelines is None else sorted(map(str, pipelines)),
        "created_at": time_text(token.created_at),
        "expires_at": time_text(token.expires_at),
        "certificate": token.certificate,
    }


def _grants(grants: NamedGrants) -> list[dict[str, Any]]:
    return [
        {"pipeline_id": str(grant.pipeline_id), "pipeline": name, "role": grant.role.value}
        for grant, name in grants
    ]


def _role(role: Role | None) -> str | None:
    return None if role is None else role.value

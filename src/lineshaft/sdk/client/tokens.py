"""The calls of the API client for tokens."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from lineshaft.model.role import Role
from lineshaft.model.token import Expiry
from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.token import TokenView
from lineshaft.sdk.transport import read


class TokenCalls(Calls):
    """What a client asks for about tokens."""

    def create_token(
        self,
        name: str,
        *,
        role: Role | None = None,
        pipelines: Sequence[UUID | str] | None = None,
        expires_at: datetime | Expiry = Expiry.DEFAULT,
        certificate: str | None = None,
    ) -> TokenView:
        """Make a token of the caller (POST /v1/tokens); only this answer holds the token itself.

        Args:
            name: what people call it; unique among the caller's.
            role: the highest role that it carries; None means `runner`, or less where the caller has less.
            pipelines: the ids of the only pipelines that it is for; None means all.
            expires_at: from when on it is worth nothing.
            certificate: the SHA-256 of the only client certificate with which it is good, in hexadecimal.

        Raises:
            InvalidInputError: the name makes no sense, there is no such pipeline, or the time has passed.
            ForbiddenError: it would be more than the caller is.
            ConflictError: the caller has a token of that name.
        """
        body: dict[str, Any] = {"name": name}
        if role is not None:
            body["role"] = role.value
        if pipelines is not None:
            body["pipelines"] = [str(each) for each in pipelines]
        if isinstance(expires_at, datetime):
            body["expires_at"] = expires_at.isoformat()
        elif expires_at is Expiry.NEVER:
            body["expires_at"] = None
        if certificate is not None:
            body["certificate"] = certificate
        return read(self._transport.request("POST", "/v1/tokens", json=body), TokenView.from_document)

    def tokens(self, *, user: str | None = None, page_size: int = PAGE) -> Iterator[TokenView]:
        """Go through tokens by name (GET /v1/tokens), a page at a time.

        Args:
            user: whose; None means the caller's own. Admins may ask for another's.
            page_size: how many to ask for at a time.

        Raises:
            ForbiddenError: they are another's, and the caller is no admin.
            NotFoundError: there is no such user.
        """
        query = {"limit": str(page_size)} | ({} if user is None else {"user": user})
        return self._transport.pages("/v1/tokens", query, "after", TokenView.from_document)

    def revoke_token(self, token_id: UUID | str) -> None:
        """Make a token worth nothing (DELETE /v1/tokens/{id}).

        Raises:
            NotFoundError: there is none of that id, or it is another's and the caller is no admin.
        """
        self._transport.request("DELETE", f"/v1/tokens/{quote(str(token_id), safe='')}")

"""The calls of the API client for connections to forges."""

from collections.abc import Iterator
from urllib.parse import quote

from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.connection import ConnectionView
from lineshaft.sdk.transport import read


class ConnectionCalls(Calls):
    """What a client asks for about connections. No call tells what their secrets hold."""

    def connections(self, *, page_size: int = PAGE) -> Iterator[ConnectionView]:
        """Go through the connections by name, a page at a time (GET /v1/connections)."""
        query = {"limit": str(page_size)}
        return self._transport.pages("/v1/connections", query, "after", ConnectionView.from_document)

    def connection(self, name: str) -> ConnectionView:
        """Show a connection (GET /v1/connections/{name}).

        Raises:
            ConnectionNotFoundError: there is none of that name.
        """
        return read(self._transport.request("GET", _path(name)), ConnectionView.from_document)

    def set_connection(
        self,
        name: str,
        kind: str,
        url: str,
        *,
        api_url: str | None = None,
        webhook_secret: str | None = None,
        token: str | None = None,
        username: str | None = None,
        statuses: bool | None = None,
        trusts_forks: bool = False,
    ) -> ConnectionView:
        """Make a connection, or change all of it (PUT /v1/connections/{name}).

        Args:
            name: by which people know it.
            kind: `github`, `gitlab`, `bitbucket`, `gitea` or `git`.
            url: where its pages are.
            api_url: where its API is; None means where such a forge has it.
            webhook_secret: the name of the global secret that its webhooks are signed with.
            token: the name of the global secret that signs in there.
            username: what git says who signs in; None means as such a forge wants it.
            statuses: whether it is told how runs are going; None means where there is a token for it.
            trusts_forks: whether changes from forks are treated as all others are.

        Raises:
            InvalidInputError: no connection can be so; each reason with its field.
        """
        body = {
            "kind": kind,
            "url": url,
            "api_url": api_url,
            "webhook_secret": webhook_secret,
            "token": token,
            "username": username,
            "statuses": statuses,
            "trusts_forks": trusts_forks,
        }
        return read(self._transport.request("PUT", _path(name), json=body), ConnectionView.from_document)

    def remove_connection(self, name: str) -> None:
        """Remove a connection (DELETE /v1/connections/{name}).

        Raises:
            ConnectionNotFoundError: there is none of that name.
        """
        self._transport.request("DELETE", _path(name))


def _path(name: str) -> str:
    return f"/v1/connections/{quote(name, safe='')}"

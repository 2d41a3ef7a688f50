"""What is amiss with the secrets that connections name."""

import asyncio
from collections.abc import Sequence

from lineshaft.model.connection import Connection
from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.secret import FoundSecret, Wanted
from lineshaft.ports.secret_store import SecretStore


async def connection_warnings(
    secrets: SecretStore, connections: Sequence[Connection]
) -> Sequence[Sequence[str]]:
    """Say for each connection what is amiss with its secrets, as sentences; nothing where all is well."""
    return await asyncio.gather(*(_warnings(secrets, each) for each in connections))


async def _warnings(secrets: SecretStore, connection: Connection) -> Sequence[str]:
    named = {"webhook secret": connection.webhook_secret, "token": connection.token}
    wanted = {what: Wanted.by_server(name) for what, name in named.items() if name is not None}
    if not wanted:
        return ()
    try:
        found = await secrets.fetch(tuple(dict.fromkeys(wanted.values())))
    except SecretsUnavailableError as error:
        return (f"Whether its secrets are for the server alone cannot be told now: {error.message}",)
    told = (_warning(what, each.name, found.get(each)) for what, each in wanted.items())
    return tuple(text for text in told if text)


def _warning(what: str, name: str, found: FoundSecret | None) -> str:
    if found is None:
        return f"Its {what} {name} is missing: set it with `lineshaft secret set {name} --for-server`."
    if found.for_server:
        return ""
    return (
        f"Its {what} {name} is a secret that any task may name and is given ({found.found_at}): keep it for"
        f" the server alone with `lineshaft secret set {name} --for-server`, and delete the other one."
    )

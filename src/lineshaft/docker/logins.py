"""With what registries are asked, for one task: what its definition names goes before what its worker has."""

import base64
import json
from collections.abc import Iterable, Mapping

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.credentials import find_login
from lineshaft.docker.login import RegistryLogin
from lineshaft.model.image_name import DOCKER_HUB
from lineshaft.model.reason import Reason
from lineshaft.ports.executor import Login

_NAMES_OF_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


class Logins:
    """Finds the credentials for registries."""

    def __init__(self, access: DockerAccess, given: Mapping[str, Login]) -> None:
        """Begin with what is given.

        Args:
            access: says where the worker's own credentials are.
            given: those of the task, by the hosts of registries.
        """
        self._access = access
        self._given = {
            DOCKER_HUB if host in _NAMES_OF_HUB else host: RegistryLogin(login.username, login.password)
            for host, login in given.items()
        }

    async def find(self, registry: str) -> RegistryLogin | Reason | None:
        """Find those for one registry; see `credentials.find_login`."""
        return self._given.get(registry) or await find_login(registry, self._access)

    async def gather(self, registries: Iterable[str]) -> dict[str, RegistryLogin]:
        """Find those that there are for some registries, besides all that were given."""
        found = dict(self._given)
        for registry in dict.fromkeys(registries):
            login = found.get(registry) or await find_login(registry, self._access)
            if isinstance(login, RegistryLogin):
                found[registry] = login
        return found


def engine_header(logins: Mapping[str, RegistryLogin]) -> str:
    """Write credentials as the Engine API's `X-Registry-Config` wants them."""
    document = {registry: login.as_header() for registry, login in logins.items()}
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()


def program_configuration(logins: Mapping[str, RegistryLogin]) -> dict[str, dict[str, str]]:
    """Write credentials as the `auths` of docker's config.json."""
    return {registry: _entry(login) for registry, login in logins.items()}


def _entry(login: RegistryLogin) -> dict[str, str]:
    pair = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
    if login.identity_token:
        return {"auth": pair, "identitytoken": login.identity_token}
    return {"auth": pair}

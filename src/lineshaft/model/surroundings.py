"""What a task finds around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lineshaft.model.image import Image, PullPolicy, RegistryAccess
from lineshaft.model.kept_files import ArtifactRule, CacheRule, ResultRule
from lineshaft.model.service import Service


@dataclass(frozen=True, slots=True)
class Resources:
    """What a task asks for on its machine.

    Attributes:
        cpus: how many processors; None where it does not say.
        memory_bytes: how much memory; None where it does not say.
    """

    cpus: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SshAccess:
    """With which keys a task may reach other machines by ssh; it never has the keys themselves.

    Attributes:
        keys: the names of secrets, each a private key, which an agent of the task's own holds.
        agent: whether it may use the agent of its worker, where that lends it.
    """

    keys: tuple[str, ...] = ()
    agent: bool = False


@dataclass(frozen=True, slots=True)
class SourceParts:
    """What of a source is checked out besides its own files.

    Attributes:
        submodules: whether the repositories within it are.
        lfs: whether the content of files is that Git LFS keeps; else they are the pointers to it.
    """

    submodules: bool = False
    lfs: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a task finds around it, all levels of the definition taken together.

    Attributes:
        env: environment variables by name, as templates.
        cwd: the folder of the workspace in which it runs, relative; empty means the workspace itself.
        labels: what its worker must offer, sorted.
        image: the container image to run in, named or built from the source; None leaves it to the worker.
        pull: when images are fetched.
        read_only: whether it may write nowhere but in its workspace and in /tmp.
        services: containers beside it, by name.
        registries: with what registries are asked, by their hosts.
        ssh: how it may use ssh keys; None where it may not.
        resources: what it asks for.
        secrets: the names of the secrets that it uses.
        environment: the name of what it works for, such as `production`, which chooses its secrets; empty
            where it does not say.
        id_tokens: the identity tokens that it is given: the audience of each by the variable it comes in.
        results: what to keep as its results.
        artifacts: what to keep as its artifacts.
        cache: what to keep for later runs.
        outputs: the names of the values that it gives to later nodes.
        source: what of the source it finds.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""
    labels: tuple[str, ...] = ()
    image: Image | None = None
    pull: PullPolicy = PullPolicy.MISSING
    read_only: bool = False
    services: Mapping[str, Service] = field(default_factory=dict)
    registries: Mapping[str, RegistryAccess] = field(default_factory=dict)
    ssh: SshAccess | None = None
    resources: Resources = Resources()
    secrets: tuple[str, ...] = ()
    results: tuple[ResultRule, ...] = ()
    artifacts: tuple[ArtifactRule, ...] = ()
    cache: tuple[CacheRule, ...] = ()
    outputs: tuple[str, ...] = ()
    environment: str = ""
    id_tokens: Mapping[str, str] = field(default_factory=dict)
    source: SourceParts = SourceParts()

    @property
    def lent_secrets(self) -> tuple[str, ...]:
        """The names of the secrets that its worker uses for it, without showing them to the task itself."""
        of_services = (name for service in self.services.values() for name in service.secrets)
        of_registries = (access.password for access in self.registries.values())
        of_ssh = self.ssh.keys if self.ssh else ()
        return tuple(dict.fromkeys((*of_services, *of_registries, *of_ssh)))


MOST_ID_TOKENS: Final = 20
"""How many identity tokens a task may ask for."""

NO_SURROUNDINGS: Final = Surroundings()

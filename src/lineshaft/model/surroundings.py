"""What a task finds around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final


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
class ImageBuild:
    """The image to run in, built from the run's own source.

    Attributes:
        dockerfile: the Dockerfile's path in the workspace.
        context: the path of the folder that the build may use.
    """

    dockerfile: str
    context: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a task finds around it, all levels of the definition taken together.

    Attributes:
        env: environment variables by name, as templates.
        cwd: the folder of the workspace in which it runs, relative; empty means the workspace itself.
        labels: what its worker must offer, sorted.
        image: the container image to run in, named or built from the source; None runs it on the worker
            itself.
        services: containers beside it by name, as they were written.
        resources: what it asks for.
        secrets: the names of the secrets that it uses.
        environment: the name of what it works for, such as `production`, which chooses its secrets; empty
            where it does not say.
        id_tokens: the identity tokens that it is given: the audience of each by the variable it comes in.
        results: what to keep as its results, as they were written.
        artifacts: what to keep as its artifacts, as they were written.
        cache: what to keep for the next run, as it was written.
        outputs: the names of the values that it gives to later nodes.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""
    labels: tuple[str, ...] = ()
    image: str | ImageBuild | None = None
    services: Mapping[str, Any] = field(default_factory=dict)
    resources: Resources = Resources()
    secrets: tuple[str, ...] = ()
    results: Sequence[Any] = ()
    artifacts: Sequence[Any] = ()
    cache: Sequence[Any] = ()
    outputs: tuple[str, ...] = ()
    environment: str = ""
    id_tokens: Mapping[str, str] = field(default_factory=dict)


MOST_ID_TOKENS: Final = 20
"""How many identity tokens a task may ask for."""

NO_SURROUNDINGS: Final = Surroundings()

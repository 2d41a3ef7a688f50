"""A place where forges tell of changes: a control plane, a repository in memory, and signed calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from forge_calls import GITHUB, SECRET, forge_call, payload
from lineshaft.definition.compiling.read import read_native
from lineshaft.model.connection import ForgeKind
from lineshaft.model.delivery import Delivery, Outcome
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.run import Run
from lineshaft.model.secret import SecretAddress
from lineshaft.ports.memory_repositories import MemoryRepositories, MemoryRepository
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.sources.connections import ConnectionTerms

ADDRESS = "https://github.com/acme/shop.git"


@dataclass
class DeliverySite:
    """Tells a control plane of changes as GitHub does.

    Attributes:
        plane: which is told.
        repositories: what it reads.
    """

    plane: ControlPlane
    repositories: MemoryRepositories
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def repository(self) -> MemoryRepository:
        """The repository `acme/shop`."""
        return self.repositories.add(ADDRESS)

    async def connect(
        self, name: str = "hub", url: str = "https://github.com", *, secret: str = SECRET, **terms: Any
    ) -> None:
        """Make a connection, or change it, whose webhooks are signed with a secret."""
        named = f"HOOK_OF_{name.upper()}"
        await self.plane.secrets.keeping.set(SecretAddress(named), secret, INSIDE_ACTOR)
        said = ConnectionTerms(ForgeKind.GITHUB, url, webhook_secret=named, **terms)
        await self.plane.sources.connections.put(name, said, INSIDE_ACTOR)

    async def connect_with_token(self) -> None:
        """Have the connection be told statuses, with a token."""
        await self.plane.secrets.keeping.set(SecretAddress("HUB_TOKEN"), "a-token-of-hub", INSIDE_ACTOR)
        await self.connect(token="HUB_TOKEN")

    async def pipeline(
        self, on: Mapping[str, Any] | None = None, name: str = "shop", address: str = ADDRESS, **more: Any
    ) -> Pipeline:
        """Make a pipeline of one step, whose definition is in no repository."""
        document = {
            "name": name,
            "repository": address,
            "on": {"push": None} if on is None else on,
            "steps": [{"name": "a", "run": "x"}],
            **more,
        }
        return await self.plane.pipelines.create(read_native(json.dumps(document).encode()))

    async def told(self, event: str, document: Any, delivery: str = "") -> Delivery:
        """Tell of something, and return the delivery as it is received."""
        call = forge_call(GITHUB, event, document, delivery=delivery or f"call-{next(self._numbers)}")
        return await self.plane.sources.deliveries.receive(ForgeKind.GITHUB, call)

    async def handled(self, event: str, document: Any, delivery: str = "") -> Delivery:
        """Tell of something, see to all that is due, and return the delivery as it stands then."""
        told = await self.told(event, document, delivery)
        await self.plane.sources.handling.handle_due()
        return await self.plane.sources.deliveries.get(told.id)

    async def push(
        self, commit: str, ref: str = "refs/heads/main", *, before: str = "0" * 40, delivery: str = ""
    ) -> Delivery:
        """Tell of a push, and return the delivery as it stands when that was seen to."""
        return await self.handled("push", pushed(commit, ref, before), delivery)

    async def runs(self, pipeline: Pipeline) -> list[Run]:
        """List a pipeline's runs, the newest first."""
        return list(await self.plane.runs.page(pipeline.id, before=None, limit=100))


def pushed(commit: str, ref: str = "refs/heads/main", before: str = "0" * 40, message: str = "Go") -> Any:
    """Return the body of a push."""
    changes: dict[str, Any] = {"after": commit, "before": before, "ref": ref, "head_commit.id": commit}
    return payload(
        GITHUB, "push", changes | {"head_commit.message": message, "created": not before.strip("0")}
    )


def only(delivery: Delivery) -> Outcome:
    """Return the one outcome of a delivery."""
    (outcome,) = delivery.outcomes
    return outcome

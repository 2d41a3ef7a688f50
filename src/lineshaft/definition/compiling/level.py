"""What tasks take from the levels of a definition around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lineshaft.definition.compiling.containers import image_of, registries_of, service_of, ssh_of
from lineshaft.definition.compiling.files import artifact_rules, cache_rules, result_rules
from lineshaft.expression import has_expressions
from lineshaft.model.image import PullPolicy
from lineshaft.model.surroundings import NO_SURROUNDINGS, Resources, SourceParts, Surroundings
from lineshaft.model.work import BUILD_OUTPUTS, WorkKind

_OWN: Final = frozenset(
    {
        "env",
        "labels",
        "cwd",
        "image",
        "pull",
        "read_only",
        "services",
        "registries",
        "ssh",
        "resources",
        "secrets",
        "results",
        "artifacts",
        "cache",
        "outputs",
        "environment",
        "id_tokens",
    }
)


_TEMPLATED: Final = ("services", "registries", "results", "artifacts", "cache")


@dataclass(frozen=True, slots=True)
class Found:
    """Surroundings, and whether expressions stand in them."""

    surroundings: Surroundings
    templated: bool


class Level:
    """One level of a definition: what all tasks within it take.

    Tasks that add nothing of their own share one object, so that a large definition stays small.

    Attributes:
        defaults: what tasks take that say nothing else, as a checked document has it.
        env: the environment, all levels so far taken together.
        labels: the labels, all levels so far taken together, sorted.
        secrets: the names of secrets that every task may use.
        environment: what the tasks work for that do not say; empty where no level so far says.
        id_tokens: the identity tokens that every task is given.
        retry: how the tasks are tried again that do not say, as a checked document has it; None where no
            group around them says.
        source: what of the source every task finds, as a checked document has it.
    """

    __slots__ = (
        "_plain",
        "defaults",
        "env",
        "environment",
        "id_tokens",
        "labels",
        "retry",
        "secrets",
        "source",
    )

    def __init__(
        self,
        *,
        defaults: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        labels: tuple[str, ...] = (),
        secrets: tuple[str, ...] = (),
        environment: str = "",
        id_tokens: Mapping[str, str] | None = None,
        retry: Mapping[str, Any] | None = None,
        source: Mapping[str, bool] | None = None,
    ) -> None:
        """Begin a level; what is not given is empty."""
        self.defaults: Final = defaults or {}
        self.env: Final = env or {}
        self.labels: Final = labels
        self.secrets: Final = secrets
        self.environment: Final = environment
        self.id_tokens: Final = id_tokens or {}
        self.retry: Final = retry
        self.source: Final = source or {}
        self._plain: Final[dict[str, Found]] = {}

    def within(self, keys: Mapping[str, Any], *, retry: bool = True) -> "Level":
        """Go one level in: the level itself where the keys of a group add nothing to it.

        Args:
            keys: of the group.
            retry: whether its `retry` is for the tasks in it.
        """
        own_retry = keys.get("retry") if retry else None
        if not (keys.get("env") or keys.get("labels") or keys.get("environment") or own_retry):
            return self
        return Level(
            defaults=self.defaults,
            env={**self.env, **keys.get("env", {})},
            labels=_joined(self.labels, keys.get("labels", ())),
            secrets=self.secrets,
            environment=keys.get("environment", self.environment),
            id_tokens=self.id_tokens,
            retry=own_retry or self.retry,
            source=self.source,
        )

    def surroundings(self, step: Mapping[str, Any], kind: str) -> Found:
        """Tell what a task finds around it.

        Args:
            step: its keys.
            kind: of its work; only what runs in a workspace takes the default image, and what is built gives
                outputs of its own.
        """
        plain = self._plain.get(kind)
        if plain is None:
            plain = self._plain[kind] = self._found({}, kind)
        return plain if _OWN.isdisjoint(step) else self._found(step, kind)

    def _found(self, step: Mapping[str, Any], kind: str) -> Found:
        defaults = self.defaults
        resources = step.get("resources", defaults.get("resources"))
        image = step.get("image", defaults.get("image") if kind == WorkKind.RUN else None)
        registries = {**defaults.get("registries", {}), **step.get("registries", {})}
        services = {name: service_of(keys) for name, keys in step.get("services", {}).items()}
        outputs = BUILD_OUTPUTS if kind == WorkKind.BUILD else tuple(step.get("outputs", ()))
        surroundings = Surroundings(
            env={**self.env, **step["env"]} if step.get("env") else self.env,
            cwd=step.get("cwd", defaults.get("cwd", "")),
            labels=_joined(self.labels, step.get("labels", defaults.get("labels", ()))),
            image=None if image is None else image_of(image),
            pull=PullPolicy(step.get("pull", defaults.get("pull", PullPolicy.MISSING))),
            read_only=step.get("read_only", False),
            services=services,
            registries=registries_of(registries),
            ssh=ssh_of(step.get("ssh")),
            resources=_resources(resources) if resources else NO_SURROUNDINGS.resources,
            secrets=_united(self.secrets, step.get("secrets", ())),
            results=result_rules(step.get("results", ())),
            artifacts=artifact_rules(step.get("artifacts", ())),
            cache=cache_rules(step.get("cache", ())),
            outputs=outputs,
            environment=step.get("environment", self.environment),
            id_tokens={**self.id_tokens, **step["id_tokens"]} if step.get("id_tokens") else self.id_tokens,
            source=SourceParts(**self.source) if self.source else NO_SURROUNDINGS.source,
        )
        parts = (
            surroundings.env,
            surroundings.cwd,
            surroundings.labels,
            image,
            *(step.get(key) for key in _TEMPLATED),
        )
        templated = any(map(holds_templates, parts))
        return Found(NO_SURROUNDINGS if surroundings == NO_SURROUNDINGS else surroundings, templated)


def holds_templates(value: Any) -> bool:
    """Whether expressions stand in a text, or in any text within an object or list."""
    match value:
        case str():
            return has_expressions(value)
        case Mapping():
            return any(map(holds_templates, value.values()))
        case list() | tuple():
            return any(map(holds_templates, value))
        case _:
            return False


def _resources(keys: Mapping[str, Any]) -> Resources:
    return Resources(keys.get("cpus"), keys.get("memory"))


def _joined(around: tuple[str, ...], own: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({*around, *own})) if own else around


def _united(around: tuple[str, ...], own: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*around, *own))) if own else around

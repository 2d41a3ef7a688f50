"""Nothing is there by that name or id."""

from collections.abc import Iterable

from lineshaft.model.errors.root import LineshaftError


class NotFoundError(LineshaftError):
    """Nothing is there by that name or id."""

    code = "not-found"


class PipelineNotFoundError(NotFoundError):
    """No pipeline has that id."""

    code = "pipeline-not-found"

    def __init__(self, pipeline_id: object) -> None:
        """Name the id that was asked for."""
        super().__init__("Pipeline not found. Make sure to create the pipeline first.")
        self.pipeline_id = pipeline_id


class RunNotFoundError(NotFoundError):
    """No run has that id."""

    code = "run-not-found"

    def __init__(self, run_id: object) -> None:
        """Name the id that was asked for."""
        super().__init__(
            f"No run has the id {run_id}.", advice="List a pipeline's runs with `lineshaft runs PIPELINE`."
        )
        self.run_id = run_id


class NodeNotFoundError(NotFoundError):
    """A run has no node at that path, or the node has no such attempt."""

    code = "node-not-found"


class LogRemovedError(NotFoundError):
    """A log was there, and retention has removed it."""

    code = "log-removed"

    def __init__(
        self, message: str = "The log was removed, being older than logs are kept.", *, advice: str = ""
    ) -> None:
        """Say that there is nothing to wait for."""
        super().__init__(
            message, advice=advice or "Run the pipeline again, or have the server keep logs for longer."
        )


class ArtifactNotFoundError(NotFoundError):
    """No artifact, result or file in one is there by that name."""

    code = "artifact-not-found"


class ArtifactExpiredError(ArtifactNotFoundError):
    """An artifact was there, and its time is over."""

    code = "artifact-expired"

    def __init__(self, message: str, *, advice: str = "") -> None:
        """Say that there is nothing to wait for."""
        super().__init__(
            message, advice=advice or "Run the pipeline again, or have it kept for longer with `expire`."
        )


class WorkerNotFoundError(NotFoundError):
    """The worker is not registered (any more); it should register again."""

    code = "worker-not-found"


class SecretMissingError(NotFoundError):
    """Secrets that tasks name are nowhere.

    Attributes:
        names: of the secrets, sorted.
    """

    code = "secret-missing"

    def __init__(
        self,
        names: Iterable[str],
        advice: str = "Set them with `lineshaft secret set NAME`, for all pipelines or with --pipeline.",
        *,
        wanted_by: str = "these tasks",
    ) -> None:
        """Name them all, and say who wants them."""
        self.names = tuple(sorted(set(names)))
        what = "is no secret" if len(self.names) == 1 else "are no secrets"
        super().__init__(f"There {what} named {', '.join(self.names)} for {wanted_by}.", advice=advice)


class ConnectionNotFoundError(NotFoundError):
    """There is no such connection to a forge."""

    code = "connection-not-found"

    def __init__(self, name: str) -> None:
        """Name it."""
        super().__init__(
            f"No connection has the name '{name}'.", advice="List them with `lineshaft connection list`."
        )


class DeliveryNotFoundError(NotFoundError):
    """There is no such delivery."""

    code = "delivery-not-found"

    def __init__(self, delivery_id: str) -> None:
        """Name it."""
        super().__init__(
            f"No delivery has the id {delivery_id}.",
            advice="List them with `lineshaft deliveries`; old ones are removed.",
        )


class ResourceNotFoundError(NotFoundError):
    """No resource, version of one, or definition of a type has that name."""

    code = "resource-not-found"


class DriverNotFoundError(NotFoundError):
    """No driver of that name has ever registered, or it was forgotten."""

    code = "driver-not-found"

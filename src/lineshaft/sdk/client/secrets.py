"""The calls of the API client for secrets."""

from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.secret import ResealedView, SecretView
from lineshaft.sdk.transport import read


class SecretCalls(Calls):
    """What a client asks for about secrets. No call tells a value."""

    def secrets(
        self, pipeline_id: UUID | str | None = None, *, for_server: bool = False, page_size: int = PAGE
    ) -> Iterator[SecretView]:
        """Go through secrets of one sort by name, a page at a time.

        Args:
            pipeline_id: those of this pipeline alone (GET /v1/pipelines/{id}/secrets); None lists those for
                all pipelines (GET /v1/secrets).
            for_server: in place of these, those for the server alone (GET /v1/server/secrets).
            page_size: how many to ask for at once.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
            ValueError: a pipeline is named beside `for_server`.
        """
        query = {"limit": str(page_size)}
        path = _secrets(pipeline_id, for_server=for_server)
        return self._transport.pages(path, query, "after", SecretView.from_document)

    def set_secret(
        self,
        name: str,
        value: str,
        *,
        pipeline_id: UUID | str | None = None,
        environment: str | None = None,
        for_server: bool = False,
    ) -> SecretView:
        """Give a secret a value, whether it was there or not (PUT .../secrets/{name}).

        Args:
            name: of the variable in which tasks find it.
            value: which the server tells nobody again.
            pipeline_id: the only pipeline that it is for; None means all.
            environment: the only environment that it is for; None means any task.
            for_server: whether it is for the server alone, such as for its connections, and for no task.

        Raises:
            InvalidInputError: the name or the value is none that a secret may have; it tells the reason.
            PipelineNotFoundError: there is no such pipeline.
            ValueError: a pipeline or an environment is named beside `for_server`.
        """
        path = _secret(name, pipeline_id, environment, for_server=for_server)
        answer = self._transport.request("PUT", path, params=_query(environment), json={"value": value})
        return read(answer, SecretView.from_document)

    def delete_secret(
        self,
        name: str,
        *,
        pipeline_id: UUID | str | None = None,
        environment: str | None = None,
        for_server: bool = False,
    ) -> None:
        """Delete a secret (DELETE .../secrets/{name}); which one is said as to `set_secret`.

        Raises:
            NotFoundError: there is none of that name for that pipeline and environment, or for the server.
            ValueError: a pipeline or an environment is named beside `for_server`.
        """
        path = _secret(name, pipeline_id, environment, for_server=for_server)
        self._transport.request("DELETE", path, params=_query(environment))

    def reseal_secrets(self) -> ResealedView:
        """Seal with the server's current key whatever another key has sealed (POST /v1/secrets/reseal)."""
        return read(self._transport.request("POST", "/v1/secrets/reseal"), ResealedView.from_document)


def _secrets(pipeline_id: UUID | str | None, *, for_server: bool) -> str:
    if for_server:
        if pipeline_id is not None:
            raise ValueError("a secret for the server alone is for no pipeline")
        return "/v1/server/secrets"
    return (
        "/v1/secrets" if pipeline_id is None else f"/v1/pipelines/{quote(str(pipeline_id), safe='')}/secrets"
    )


def _secret(name: str, pipeline_id: UUID | str | None, environment: str | None, *, for_server: bool) -> str:
    if for_server and environment is not None:
        raise ValueError("a secret for the server alone is for no environment")
    return f"{_secrets(pipeline_id, for_server=for_server)}/{quote(name, safe='')}"


def _query(environment: str | None) -> dict[str, str]:
    return {} if environment is None else {"environment": environment}

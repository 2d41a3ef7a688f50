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
        self, pipeline_id: UUID | str | None = None, *, page_size: int = PAGE
    ) -> Iterator[SecretView]:
        """Go through the secrets of a pipeline alone, or those for all pipelines, by name, a page at a time.

        That is GET /v1/pipelines/{id}/secrets, or GET /v1/secrets.

        Raises:
            PipelineNotFoundError: there is no such pipeline.
        """
        query = {"limit": str(page_size)}
        return self._transport.pages(_secrets(pipeline_id), query, "after", SecretView.from_document)

    def set_secret(
        self,
        name: str,
        value: str,
        *,
        pipeline_id: UUID | str | None = None,
        environment: str | None = None,
    ) -> SecretView:
        """Give a secret a value, whether it was there or not (PUT .../secrets/{name}).

        Args:
            name: of the variable in which tasks find it.
            value: which the server tells nobody again.
            pipeline_id: the only pipeline that it is for; None means all.
            environment: the only environment that it is for; None means any task.

        Raises:
            InvalidInputError: the name or the value is none that a secret may have; it tells the reason.
            PipelineNotFoundError: there is no such pipeline.
        """
        path = _secret(name, pipeline_id)
        answer = self._transport.request("PUT", path, params=_query(environment), json={"value": value})
        return read(answer, SecretView.from_document)

    def delete_secret(
        self, name: str, *, pipeline_id: UUID | str | None = None, environment: str | None = None
    ) -> None:
        """Delete a secret (DELETE .../secrets/{name}).

        Raises:
            NotFoundError: there is none of that name for that pipeline and environment.
        """
        self._transport.request("DELETE", _secret(name, pipeline_id), params=_query(environment))

    def reseal_secrets(self) -> ResealedView:
        """Seal with the server's current key whatever another key has sealed (POST /v1/secrets/reseal)."""
        return read(self._transport.request("POST", "/v1/secrets/reseal"), ResealedView.from_document)


def _secrets(pipeline_id: UUID | str | None) -> str:
    return (
        "/v1/secrets" if pipeline_id is None else f"/v1/pipelines/{quote(str(pipeline_id), safe='')}/secrets"
    )


def _secret(name: str, pipeline_id: UUID | str | None) -> str:
    return f"{_secrets(pipeline_id)}/{quote(name, safe='')}"


def _query(environment: str | None) -> dict[str, str]:
    return {} if environment is None else {"environment": environment}

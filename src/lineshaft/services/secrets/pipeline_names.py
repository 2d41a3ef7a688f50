"""The names of pipelines, where something is trusted for them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.ports.store import Transaction


def true_names(transaction: Transaction, pipeline_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Tell what pipelines are called, each by a name that no other has.

    The database alone knows. What a run has is no proof: whoever may change one pipeline may call it like
    another, or give it another name for one run.

    Args:
        transaction: to ask.
        pipeline_ids: which pipelines.

    Raises:
        SecretsUnavailableError: two pipelines have the same name, or one was deleted.
    """
    names: dict[UUID, str] = {}
    for pipeline_id in pipeline_ids:
        pipeline = transaction.pipelines.get(pipeline_id)
        if pipeline is None:
            raise SecretsUnavailableError("The pipeline was deleted.")
        if len(transaction.pipelines.page(name=pipeline.name, after=None, limit=2)) > 1:
            raise SecretsUnavailableError(
                f"Several pipelines are called '{pipeline.name}', and nobody could tell which of them asks.",
                advice="Give each a name of its own.",
            )
        names[pipeline_id] = pipeline.name
    return names

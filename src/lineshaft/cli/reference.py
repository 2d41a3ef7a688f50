"""How people name pipelines and runs, and what they mean by it."""

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final
from uuid import UUID

import click

from lineshaft.model.errors import ConflictError, NotFoundError, PipelineNotFoundError

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.run import RunView

_LATEST: Final = "latest"
_RUN: Final = re.compile(rf"[0-9]{{1,18}}|{_LATEST}")
_NAMES_TO_COMPARE: Final = 200


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run that someone named.

    Attributes:
        run: as it was when it was looked up.
        pipeline: the name of its pipeline; its id where that was deleted.
    """

    run: "RunView"
    pipeline: str

    @property
    def title(self) -> str:
        """Its name for people, which `find_run` understands."""
        return f"{self.pipeline}/{self.run.number}"


def find_pipeline(client: "Client", reference: str) -> UUID:
    """Find a pipeline by its id, or by a name that no other has.

    Raises:
        NotFoundError: no pipeline has that name.
        ConflictError: several have it.
    """
    if (pipeline_id := _uuid(reference)) is not None:
        return pipeline_id
    found = list(islice(client.pipelines(name=reference), 10))
    if not found:
        raise NotFoundError(f"No pipeline is named '{reference}'.", advice=_other_names(client, reference))
    if len(found) > 1:
        ids = ", ".join(str(pipeline.id) for pipeline in found)
        raise ConflictError(f"Several pipelines are named '{reference}'.", advice=f"Give the id: {ids}.")
    return found[0].id


def find_run(client: "Client", reference: str) -> FoundRun:
    """Find a run by its id, or as `PIPELINE/NUMBER` or `PIPELINE/latest`.

    Raises:
        click.UsageError: the reference is none of these.
        NotFoundError: there is no such run.
        ConflictError: several pipelines have that name.
    """
    if (run_id := _uuid(reference)) is not None:
        run = client.run(run_id)
        return FoundRun(run, _name(client, run.pipeline_id))
    pipeline, slash, which = reference.rpartition("/")
    if not slash or not pipeline or not _RUN.fullmatch(which):
        raise click.UsageError(
            f"'{reference}' names no run, as an id, PIPELINE/NUMBER or PIPELINE/latest do."
        )
    pipeline_id = find_pipeline(client, pipeline)
    name = _name(client, pipeline_id) if _uuid(pipeline) else pipeline
    number = None if which == _LATEST else int(which)
    before = None if number is None else number + 1
    newest = next(client.runs(pipeline_id, before=before, page_size=1), None)
    if newest is None or number not in {None, newest.number}:
        what = "no runs yet" if number is None else f"no run {number}"
        raise NotFoundError(
            f"Pipeline '{name}' has {what}.", advice=f"List its runs: `lineshaft runs '{name}'`."
        )
    return FoundRun(newest, name)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _name(client: "Client", pipeline_id: UUID) -> str:
    try:
        return client.pipeline(pipeline_id).name
    except PipelineNotFoundError:
        return str(pipeline_id)


def _other_names(client: "Client", name: str) -> str:
    from difflib import get_close_matches

    names = {pipeline.name for pipeline in islice(client.pipelines(), _NAMES_TO_COMPARE)}
    nearest = get_close_matches(name, names, n=1)
    return f"Did you mean '{nearest[0]}'?" if nearest else "List them all: `lineshaft list`."

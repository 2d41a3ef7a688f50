"""The server's file of pipelines: pipelines are made, changed and deleted as it says."""

import asyncio
import logging
from collections.abc import Sequence
from random import Random
from typing import Final, assert_never

from lineshaft.definition.foreign.reading import fit_name
from lineshaft.definition.pipeline_entries import PipelineEntry, RefusedEntry, read_pipeline_entries
from lineshaft.model.errors import (
    ConflictError,
    InvalidDefinitionError,
    InvalidInputError,
    PipelineNotFoundError,
    UnavailableError,
)
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.upkeep import Upkeep
from lineshaft.ports.pipelines_text import PipelinesText
from lineshaft.services.pipelines import PipelineService
from lineshaft.services.sources.sentences import told

_LOG: Final = logging.getLogger("lineshaft.pipelines")
_JITTER: Final = 0.1


class PipelinesFile:
    """Keeps pipelines as a file says. Several processes may do so with the same file.

    What cannot be read changes nothing, and is told once.
    """

    def __init__(self, text: PipelinesText, pipelines: PipelineService, chance: Random) -> None:
        """Keep pipelines.

        Args:
            text: the file.
            pipelines: the use cases of all pipelines.
            chance: spreads the looks of several processes.
        """
        self._text: Final = text
        self._pipelines: Final = pipelines
        self._chance: Final = chance
        self._pending: bytes | None = None
        self._trouble = ""
        self._refused: dict[str, str] = {}

    async def run(self) -> None:
        """Keep pipelines for ever; ends by cancellation only."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
                _LOG.warning("The pipelines of %s cannot be kept now: %s", self._text.place, repr(error))
            pause = self._text.pause.total_seconds()
            await asyncio.sleep(pause * self._chance.uniform(1 - _JITTER, 1 + _JITTER))

    async def look(self) -> None:
        """Have pipelines be as the file says, if it has changed since that was done.

        Raises:
            StoreUnavailableError: the database does not answer; the next look goes on with it.
        """
        try:
            text = await self._text.changed()
        except UnavailableError as error:
            self._pending = None
            self._tell(error.message)
            return
        if text is not None:
            self._pending = text
        if self._pending is None:
            return
        entries = await self._entries(self._pending)
        if entries is not None:
            await self._keep_all(entries)
        self._pending = None

    async def _entries(self, text: bytes) -> Sequence[PipelineEntry | RefusedEntry] | None:
        """Read the file's entries, of which it may hold none; None where it cannot be read."""
        try:
            entries = await asyncio.to_thread(read_pipeline_entries, text, self._text.place)
        except InvalidInputError as error:
            self._tell(told(error))
            return None
        self._tell("")
        return entries

    async def _keep_all(self, entries: Sequence[PipelineEntry | RefusedEntry]) -> None:
        refused = {}
        for entry in entries:
            why = await self._keep(entry)
            if why:
                refused[entry.name] = why
                if self._refused.get(entry.name) != why:
                    _LOG.warning(
                        "The entry %s of %s is refused: %s", ascii(entry.name), self._text.place, why
                    )
        self._refused = refused
        names = {fit_name(entry.name) for entry in entries}
        for pipeline in await self._pipelines.managed():
            if pipeline.name not in names:
                await self._delete(pipeline)
        _LOG.info(
            "Pipelines are as %s says: %d of them, and %d entries are refused.",
            self._text.place,
            len(entries) - len(refused),
            len(refused),
        )

    async def _keep(self, entry: PipelineEntry | RefusedEntry) -> str:
        """Have a pipeline be as its entry says; tells why that cannot be."""
        match entry:
            case RefusedEntry():
                return told(InvalidDefinitionError("It breaks rules.", problems=entry.problems))
            case PipelineEntry():
                try:
                    await self._pipelines.keep(entry.definition, Upkeep(entry.ref, entry.tag_pattern))
                except (InvalidInputError, ConflictError) as error:
                    return told(error)
                return ""
            case _:
                assert_never(entry)

    async def _delete(self, pipeline: Pipeline) -> None:
        try:
            await self._pipelines.delete(pipeline.id, managed=True)
        except PipelineNotFoundError:
            return  # Another process was faster.
        _LOG.info("The pipeline %s is deleted: %s has it no more.", ascii(pipeline.name), self._text.place)

    def _tell(self, trouble: str) -> None:
        """Tell once that the file cannot be used."""
        if trouble and trouble != self._trouble:
            _LOG.warning("No pipeline is changed by %s: %s", self._text.place, trouble)
        self._trouble = trouble

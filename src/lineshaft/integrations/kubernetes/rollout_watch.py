"""Waiting for a rollout by a watch that survives what happens to watches."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final, assert_never

from lineshaft.integrations.kubernetes.api import KubernetesApi
from lineshaft.integrations.kubernetes.connection import unreachable
from lineshaft.integrations.kubernetes.place import Place
from lineshaft.integrations.kubernetes.reply import (
    Answer,
    Changed,
    Deleted,
    Expired,
    NoAnswer,
    Passed,
    Refusal,
    version_of,
)
from lineshaft.integrations.kubernetes.rollout import Broken, Progress, RolledOut, Rolling, progress_of
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.ports.executor import ByteSink

DEFAULT_PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (0.5, 1, 2, 4, 8, 15))
_GOING_ON: Final = Rolling("")
_DELETED: Final = Broken("It was deleted.")


class RolloutWatch:
    """Follows one object until its rollout is done or has failed.

    Args:
        api: the cluster.
        place: the object.
        address: the cluster's address, for reasons.
        sink: takes a line for each step of the rollout.
        pauses: how long to wait before each new try while the cluster does not answer; when they are used up
            without a word from it in between, the rollout counts as failed. At least one.
    """

    def __init__(
        self, api: KubernetesApi, place: Place, *, address: str, sink: ByteSink, pauses: Sequence[timedelta]
    ) -> None:
        self._api = api
        self._place = place
        self._address = address
        self._sink = sink
        self._pauses = pauses
        self._setbacks = 0
        self._version = ""
        self._told = ""

    async def until_done(self, document: dict[str, Any]) -> Reason | None:
        """Watch from an object's version on; answer why the rollout failed, or None when it is done."""
        step: Progress | Reason = await self._judge(document)
        while isinstance(step, Rolling):
            step = await self._watch()
        match step:
            case RolledOut():
                return None
            case Broken():
                return Reason(
                    ReasonCode.ROLLOUT_FAILED, f"The rollout of {self._place.identity} failed. {step.text}"
                )
            case Reason():
                return step
            case _:
                assert_never(step)

    async def _watch(self) -> Progress | Reason:
        """Follow one watch to its end."""
        heard = False
        async with aclosing(self._api.watch(self._place, self._version)) as watch:
            async for news in watch:
                match news:
                    case Changed():
                        step = await self._judge(news.document)
                        if not isinstance(step, Rolling):
                            return step
                    case Passed():
                        self._version = news.version
                    case Deleted():
                        return _DELETED
                    case Expired():
                        return await self._read_again()
                    case Refusal() | NoAnswer():
                        return await self._setback(news)
                    case _:
                        assert_never(news)
                heard = True
                self._setbacks = 0
        if not heard:
            await asyncio.sleep(self._pauses[0].total_seconds())
        return _GOING_ON

    async def _read_again(self) -> Progress | Reason:
        """Begin anew from the object as it is, because the cluster has forgotten what was in between."""
        reply = await self._api.read(self._place)
        match reply:
            case Answer():
                return await self._judge(reply.document)
            case Refusal(status=404):
                return _DELETED
            case Refusal() | NoAnswer():
                return await self._setback(reply)
            case _:
                assert_never(reply)

    async def _judge(self, document: dict[str, Any]) -> Progress:
        self._version = version_of(document)
        progress = progress_of(document)
        if not isinstance(progress, Broken) and progress.text != self._told:
            self._told = progress.text
            await self._sink.write(f"{self._place.identity}: {progress.text}\n".encode())
        return progress

    async def _setback(self, reply: Refusal | NoAnswer) -> Progress | Reason:
        """Wait a while before the next try, or give up."""
        match reply:
            case Refusal() if not reply.busy:
                return Reason(
                    ReasonCode.ROLLOUT_FAILED,
                    f"{self._place.identity} is applied, but its rollout cannot be watched: {reply.message}",
                )
            case Refusal(message=cause) | NoAnswer(cause=cause):
                if self._setbacks == len(self._pauses):
                    return unreachable(self._address, f"{cause}, while {self._place.identity} rolled out")
        await asyncio.sleep(self._pauses[self._setbacks].total_seconds())
        self._setbacks += 1
        return _GOING_ON

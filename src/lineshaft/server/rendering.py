"""Documents as JSON bytes."""

import json
from collections import OrderedDict
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.wire.run import run_document

_KEPT_BYTES: Final = 4 * 1024 * 1024


def to_json(document: Any) -> bytes:
    """Write a document as compact JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def pipeline_json(pipeline: Pipeline) -> bytes:
    """Write a pipeline: its definition as it is stored, its id, and where it is kept if not only here."""
    members = pipeline.definition.text.rstrip().removesuffix("}")
    kept = b"" if pipeline.config_file is None else b',"config_file":' + to_json(asdict(pipeline.config_file))
    managed = b',"managed":true' if pipeline.managed else b""
    return b'%b,"id":"%b"%b%b}' % (members.encode(), str(pipeline.id).encode(), kept, managed)


def page_json(items: list[bytes], following: str | int | None) -> bytes:
    """Write one page of a list, and where the next one begins."""
    return b'{"items":[%b],"next":%b}' % (b",".join(items), to_json(following))


class RunRenderings:
    """Runs as JSON, each kept for its latest version while it is asked for often.

    A watched run is read far more often than it changes, and its document may be long.
    """

    def __init__(self, at_most_bytes: int = _KEPT_BYTES) -> None:
        self._kept: OrderedDict[UUID, tuple[int, bytes]] = OrderedDict()
        self._free = at_most_bytes

    def of(self, run: Run) -> bytes:
        """Write a run."""
        kept = self._kept.get(run.id)
        if kept is not None:
            if kept[0] == run.version:
                self._kept.move_to_end(run.id)
                return kept[1]
            self._forget(run.id)
        rendered = to_json(run_document(run))
        self._kept[run.id] = (run.version, rendered)
        self._free -= len(rendered)
        while self._free < 0:
            self._forget(next(iter(self._kept)))
        return rendered

    def _forget(self, run_id: UUID) -> None:
        _, rendered = self._kept.pop(run_id)
        self._free += len(rendered)

"""Files of pipelines that a test writes, and keeps in memory."""

import json
from datetime import timedelta
from typing import Any

from lineshaft.model.errors import UnavailableError


def entry(address: str, **more: Any) -> dict[str, Any]:
    """Return an entry of such a file."""
    return {"repository": address, "exec": ["./build.sh"], **more}


class WrittenPipelines:
    """A file that changes when the test writes it; `ports.pipelines_text.PipelinesText`."""

    place = "pipelines.json"
    pause = timedelta(seconds=1)

    def __init__(self, text: str | None = None) -> None:
        self._text = text
        self._read = False

    def write(self, **entries: Any) -> None:
        """Write entries by their names, and nothing else."""
        self.write_text(json.dumps(entries))

    def write_text(self, text: str | None) -> None:
        """Write a text; None takes the file away."""
        self._text, self._read = text, False

    async def changed(self) -> bytes | None:
        if self._text is None:
            raise UnavailableError("No such file or directory.")
        if self._read:
            return None
        self._read = True
        return self._text.encode()

"""What a driver answers for a task, and how that is kept among the outputs of nodes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_MESSAGE: Final = "message"
_DATA: Final = "data"


@dataclass(frozen=True, slots=True)
class DriverResult:
    """What a driver answers.

    Attributes:
        success: whether it has done what it was to do.
        message: a sentence for people; empty where it says nothing.
        data: a JSON object with which later nodes go on.
    """

    success: bool
    message: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def outputs(self) -> dict[str, str]:
        """Say message and data as the outputs of a node, which are texts."""
        text = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return {_MESSAGE: self.message, _DATA: text}

    @classmethod
    def of_outputs(cls, outputs: Mapping[str, str], *, success: bool) -> "DriverResult":
        """Read what `outputs` has said; whatever else is there, such as nothing, is an empty result.

        Args:
            outputs: of the node.
            success: whether the node succeeded.
        """
        try:
            data = json.loads(outputs.get(_DATA, "{}"))
        except ValueError:
            data = {}
        return cls(success, outputs.get(_MESSAGE, ""), data if isinstance(data, dict) else {})

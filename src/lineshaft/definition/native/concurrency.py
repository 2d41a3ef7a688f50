"""The document that tells what a new run means for those before it."""

from typing import Annotated, Literal

from pydantic import ConfigDict

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import Text


class ConcurrencyDocument(Strict):
    """What a new run means for those before it."""

    model_config = ConfigDict(title="concurrency")

    policy: Annotated[
        Literal["supersede", "queue", "allow"],
        Key("What becomes of the runs before a new one", "supersede, queue or allow"),
    ]
    group: Annotated[
        Text | None,
        Key("Only runs for which it gives the same text count; expressions may stand in it", "text"),
    ] = None

"""The document that tells what of a source is checked out."""

from typing import Annotated

from pydantic import ConfigDict

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict


class SourceDocument(Strict):
    """What of the source is checked out besides its own files."""

    model_config = ConfigDict(title="source")

    submodules: Annotated[
        bool, Key("Whether the repositories within the repository are checked out", "true or false")
    ] = False
    lfs: Annotated[
        bool, Key("Whether files that Git LFS keeps are checked out with their content", "true or false")
    ] = False

"""The caller's input does not make sense."""

from collections.abc import Sequence

from lineshaft.model.errors.problem import Problem
from lineshaft.model.errors.root import LineshaftError


class InvalidInputError(LineshaftError):
    """The caller's input does not make sense."""

    code = "invalid-input"

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), advice: str = "") -> None:
        """Say what is wrong, with each single problem where there are several."""
        super().__init__(message, advice=advice)
        self.problems = tuple(problems)


class InvalidDefinitionError(InvalidInputError):
    """A pipeline definition cannot be read; `problems` holds all that is wrong with it."""

    code = "invalid-definition"


class PipelineUnnamedError(InvalidInputError):
    """A call does not say which pipeline it is for."""

    code = "pipeline-unnamed"

    def __init__(self, key: str) -> None:
        """Name the key of the query that should have."""
        super().__init__(
            "The call does not say which pipeline it is for.",
            advice=f"Name it in the query: `?{key}=NAME`.",
        )


class InputTooLargeError(InvalidInputError):
    """An input is over a limit, which the message names."""

    code = "input-too-large"


class ArchiveRefusedError(InvalidInputError):
    """An archive holds what must not be unpacked; nothing of it is there.

    Attributes:
        entry: which of its entries is to blame; empty where it is the archive itself.
        cause: what is wrong with it, as the end of a sentence.
    """

    code = "archive-refused"

    def __init__(self, entry: str, cause: str) -> None:
        """Name the entry and what is wrong with it."""
        what = f"its entry {entry!r}" if entry else "it"
        super().__init__(
            f"The archive is refused, for {what} {cause}.",
            advice="Leave that out of what is kept, or unpack the archive elsewhere, by other means.",
        )
        self.entry = entry
        self.cause = cause


class ExpressionError(InvalidInputError):
    """An expression of a definition cannot be read, or not be evaluated.

    Attributes:
        offset: where in its text, in characters from 0, where known.
    """

    code = "invalid-expression"

    def __init__(self, message: str, offset: int | None = None) -> None:
        """Say what is wrong in one sentence, and where."""
        super().__init__(message)
        self.offset = offset


class SchemaRefusedError(InvalidInputError):
    """A schema of resources cannot be used; `problems` names each place by a JSON Pointer (RFC 6901)."""

    code = "schema-refused"


class SpecMisfitError(InvalidInputError):
    """A resource's spec does not fit its type; `problems` names each place by a JSON Pointer (RFC 6901)."""

    code = "spec-misfit"


class UnsupportedProtocolError(InvalidInputError):
    """A worker speaks a version of the worker protocol that the server does not serve.

    Attributes:
        served: the versions that the server does serve.
    """

    code = "unsupported-protocol"

    def __init__(self, said: str, served: Sequence[int]) -> None:
        """Name the version that was said, and those that would have done."""
        versions = ", ".join(str(version) for version in served)
        super().__init__(
            f"The worker speaks version {said} of the worker protocol; this server serves {versions}.",
            advice="Run the same version of Lineshaft on the worker as on the server.",
        )
        self.served = tuple(served)

"""Names that requests about resources say twice: in their path and in their body."""

from lineshaft.model.errors import InvalidInputError, Problem


def refuse_another_name(said: str | None, name: str) -> None:
    """See whether the body of a request names what its path names, or nothing.

    Raises:
        InvalidInputError: it names something else.
    """
    if said is not None and said != name:
        raise InvalidInputError(
            "The request is not as it must be.",
            problems=[Problem("/name", f"must be '{name}', as the path says, or not be there")],
        )

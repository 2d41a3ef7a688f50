"""What a server keeps is not as it was."""

from lineshaft.model.errors.surroundings import ServerError


class OtherContentError(ServerError):
    """What came of kept files are other bytes than were kept."""

    code = "other-content"

    def __init__(self, what: str) -> None:
        """Name what was asked for; the answer itself was a good one."""
        super().__init__(
            f"What came of {what} is not what was kept.",
            status=200,
            advice="Look at what the server keeps its files in: they have changed there.",
        )

"""What becomes of the Docker engine of a run on this machine, told on standard error."""

from datetime import timedelta

from lineshaft.cli.failure import print_note


class PrintedNews:
    """Tells whoever has started a run what becomes of its engine; see `worker.engine.EngineNews`."""

    def __init__(self, patience: timedelta) -> None:
        """Tell of an engine.

        Args:
            patience: for how long tasks wait for it.
        """
        self._patience = patience

    def away(self, why: str) -> None:
        """Say so at once, with what to do."""
        print_note(
            f"The Docker engine is away. {why} Start it again: tasks wait "
            f"{self._patience.total_seconds():g} s for it, and are lost then."
        )

    def back(self) -> None:
        """Say that there is nothing to do any more."""
        print_note("The Docker engine answers again, and the run goes on.")

    def given_up(self) -> None:
        """Say what follows."""
        print_note("The Docker engine has not come back, so that what still needs it is lost.")

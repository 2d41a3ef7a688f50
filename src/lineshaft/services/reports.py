"""Reports: what runs have taken, and how they ended."""

from lineshaft.ports.store import Store


class ReportService:
    """The use cases of reports."""

    def __init__(self, store: Store) -> None:
        self._store = store

"""What makes a benchmark worthless."""


class BenchmarkError(Exception):
    """A system gave a wrong result, or none in time; its figures would mean nothing."""

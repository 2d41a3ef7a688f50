"""Running each task in a container of its own, with services beside it."""

"""What the shop sells."""


def price(pieces: int) -> int:
    """Tell what some pieces cost, in cents."""
    return 250 * pieces

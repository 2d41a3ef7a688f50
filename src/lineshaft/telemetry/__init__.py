"""How Lineshaft tells of itself: logging."""

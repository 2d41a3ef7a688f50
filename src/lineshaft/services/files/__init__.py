"""Files of attempts that are kept: received from workers, read again, found as caches, and let go."""

"""Pages for browsers: what they say, how they look, and what they may do."""

"""The agent that claims attempts, runs the built-in drivers and reports."""

"""The systems compared: the bare limit, what a user would take instead, and Lineshaft."""

"""Secrets and identity tokens, from being set to being given to a task."""

"""Statuses of commits: what forges are told of runs."""

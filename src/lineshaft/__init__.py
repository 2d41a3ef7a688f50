"""Lineshaft: a self-hosted CI/CD system around one small, pure engine."""

__version__ = "0.1.0"

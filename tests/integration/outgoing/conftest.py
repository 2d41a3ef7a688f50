"""A certificate for those who want one."""

from integration.certificates import certified

__all__ = ["certified"]

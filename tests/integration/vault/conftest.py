"""What tests of a Vault share with others."""

from integration.certificates import certified

__all__ = ["certified"]

"""Secrets in HashiCorp Vault or OpenBao."""

from lineshaft.integrations.vault.access import VaultAccess
from lineshaft.integrations.vault.secrets import VaultSecrets

__all__ = ["VaultAccess", "VaultSecrets"]

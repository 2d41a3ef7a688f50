"""What a Vault says when it gives no secret, as our errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from lineshaft.model.errors import SecretsUnavailableError


@contextmanager
def troubles(url: str) -> Iterator[None]:
    """Translate what calls raise; tokens are in none of the texts.

    Raises:
        SecretsUnavailableError: with the advice what to do.
    """
    from hvac.exceptions import RateLimitExceeded, VaultDown, VaultError, VaultNotInitialized

    try:
        yield
    except VaultDown:
        raise SecretsUnavailableError(
            f"The Vault at {url} is sealed, or in maintenance.",
            advice="Unseal it with `vault operator unseal`.",
        ) from None
    except VaultNotInitialized:
        raise SecretsUnavailableError(
            f"The Vault at {url} is not initialized.", advice="Begin with `vault operator init`."
        ) from None
    except RateLimitExceeded:
        raise SecretsUnavailableError(
            f"The Vault at {url} has had enough calls for now.", advice="Raise its quota, or try again later."
        ) from None
    except VaultError as error:
        raise SecretsUnavailableError(
            f"The Vault at {url} has failed: {type(error).__name__}.", advice="Its log tells why; try again."
        ) from None
    except OSError as error:
        # requests' own errors are of this kind.
        raise SecretsUnavailableError(
            f"The Vault at {url} does not answer: {type(error).__name__}.",
            advice="See whether it runs, is reached from here, and shows a certificate that is trusted.",
        ) from None


def denied(mount: str, path: str) -> SecretsUnavailableError:
    """Say that a path may not be read."""
    return SecretsUnavailableError(
        f"Vault does not let this server read {mount}/data/{path}.",
        advice=f'Give its policy `path "{mount}/data/{path}" {{ capabilities = ["read"] }}`.',
    )


def sign_in_refused(*, by_role: bool) -> SecretsUnavailableError:
    """Say that the Vault does not let this server in."""
    what = "the role id and secret id" if by_role else "the token"
    settings = (
        "LINESHAFT_VAULT_ROLE_ID and LINESHAFT_VAULT_SECRET_ID_FILE"
        if by_role
        else "LINESHAFT_VAULT_TOKEN_FILE"
    )
    return SecretsUnavailableError(
        f"Vault does not take {what} of this server.",
        advice=f"They may have expired or been revoked; see {settings}.",
    )


def not_understood(url: str) -> SecretsUnavailableError:
    """Say that an answer is none of a Vault's."""
    return SecretsUnavailableError(
        f"What answers at {url} is no Vault, or sends elsewhere.",
        advice="Set LINESHAFT_VAULT_URL to the address of Vault itself, and LINESHAFT_VAULT_MOUNT to a KV "
        "engine of version 2.",
    )

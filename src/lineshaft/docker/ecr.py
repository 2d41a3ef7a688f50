"""Tokens for Amazon's image registry, ECR, which takes no lasting password."""

import asyncio
import base64
import importlib
import re
from pathlib import Path
from typing import Any, Final

from lineshaft.docker.login import RegistryLogin
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.telemetry.cause import brief

_REGISTRY: Final = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.aws)"
)


def ecr_region(registry: str) -> str | None:
    """Name the AWS region of an ECR registry; None for every other registry."""
    match = _REGISTRY.fullmatch(registry)
    return match["region"] if match else None


async def ecr_login(registry: str, region: str, config_path: Path) -> RegistryLogin | Reason:
    """Get a token of twelve hours with whatever AWS credentials this process has.

    botocore, an optional part of the installation, finds those and signs the request.

    Args:
        registry: the registry's host.
        region: the AWS region in it.
        config_path: docker's configuration, which had nothing for this registry; for the message.

    Returns:
        The credentials, or why there are none.
    """
    try:
        session = importlib.import_module("botocore.session").get_session()
    except ModuleNotFoundError:
        return _no_credentials(
            registry,
            f"{config_path} has no entry for it, and AWS credentials need `pip install 'lineshaft[ecr]'`",
        )
    return await asyncio.to_thread(_request_token, session, registry, region, config_path)


def _request_token(session: Any, registry: str, region: str, config_path: Path) -> RegistryLogin | Reason:
    """Ask GetAuthorizationToken (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/)."""
    errors = importlib.import_module("botocore.exceptions")
    settings = importlib.import_module("botocore.config").Config(
        connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2}
    )
    try:
        if session.get_credentials() is None:
            return _no_credentials(
                registry,
                f"{config_path} has no entry for it, and there are no AWS credentials (AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, a profile, or a role of this machine)",
            )
        answer = session.create_client("ecr", region_name=region, config=settings).get_authorization_token()
        token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    except (errors.BotoCoreError, errors.ClientError) as error:
        return _no_credentials(registry, brief(str(error)))
    except (LookupError, ValueError, TypeError):
        return _no_credentials(registry, "the answer of AWS makes no sense")
    username, _, password = token.partition(":")
    return RegistryLogin(username, password)


def _no_credentials(registry: str, cause: str) -> Reason:
    return Reason(ReasonCode.IMAGE_PUSH_FAILED, f"No credentials for the registry {registry}: {cause}.")

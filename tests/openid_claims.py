"""What the provider of `openid_provider_program` says of its users."""

from typing import Any, ClassVar

from oauth2_provider.oauth2_validators import OAuth2Validator


class Claims(OAuth2Validator):  # type: ignore[misc] # Django OAuth Toolkit ships no types.
    """Tells name, mail address and groups, as far as the scopes allow it."""

    oidc_claim_scope: ClassVar = {
        **OAuth2Validator.oidc_claim_scope,
        "preferred_username": "profile",
        "groups": "profile",
    }

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        user = request.user
        return {
            "preferred_username": user.username,
            "groups": sorted(group.name for group in user.groups.all()),
        }

"""Webhooks of Bitbucket Cloud and of Bitbucket Data Center; each has events of its own.

See https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/ and
https://confluence.atlassian.com/bitbucketserver/manage-webhooks-938025878.html.
"""

from lineshaft.integrations.forges.bitbucket.cloud import cloud_found
from lineshaft.integrations.forges.bitbucket.data_center import data_center_found
from lineshaft.integrations.forges.payload import content_of
from lineshaft.integrations.forges.signature import fits, hex_signature
from lineshaft.integrations.forges.telling import Nothing, delivery_of, event_of, told
from lineshaft.model.connection import ForgeKind
from lineshaft.ports.forge import Told, Webhook


class BitbucketWebhooks:
    """Reads the calls of both Bitbuckets."""

    def is_signed(self, webhook: Webhook, secret: str) -> bool:
        """Tell whether the raw body is signed with the secret."""
        signature = f"sha256={hex_signature(webhook.body, secret)}"
        return fits(webhook.headers.get("x-hub-signature"), signature) and bool(secret)

    def read(self, webhook: Webhook) -> Told:
        """Read a call.

        Raises:
            InvalidInputError: it is no call of Bitbucket.
        """
        event = event_of(webhook, "x-event-key")
        delivery = delivery_of(ForgeKind.BITBUCKET, event, webhook, "x-request-uuid", "x-request-id")
        if event == "diagnostics:ping":
            return told(delivery, event, Nothing("Bitbucket tries whether the webhook answers; it does."))
        is_data_center = event == "repo:refs_changed" or event.startswith("pr:")
        found = (data_center_found if is_data_center else cloud_found)(event, content_of(webhook))
        return told(delivery, event, found)

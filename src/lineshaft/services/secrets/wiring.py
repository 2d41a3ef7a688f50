"""What keeps secrets and gives them to tasks, wired together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from lineshaft.ports.cipher import Cipher
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store
from lineshaft.services.secrets.identity import IdentityService, IdentityTerms
from lineshaft.services.secrets.keeping import SecretService
from lineshaft.services.secrets.lookup import PATIENCE, DatabaseSecrets, SecretChain
from lineshaft.services.secrets.outside import OutsideSecrets


@dataclass(frozen=True, slots=True)
class SecretServices:
    """What people keep secret, and what tasks are given of it.

    Attributes:
        keeping: the use cases of secrets.
        lookup: finds the secrets that tasks name: in the database first, then wherever else they may be.
        identity: the identity tokens of tasks.
    """

    keeping: SecretService
    lookup: SecretStore
    identity: IdentityService


def wire_secrets(
    store: Store,
    clock: Clock,
    ids: Ids,
    cipher: Cipher,
    *,
    others: Sequence[SecretStore],
    terms: IdentityTerms,
    lease_time: timedelta,
) -> SecretServices:
    """Wire the services of secrets.

    Args:
        store: where the state is.
        clock: tells the time.
        ids: makes ids.
        cipher: seals what is kept.
        others: where else secrets are looked for, in this order.
        terms: how identity tokens are made.
        lease_time: how long a lease lives that is not prolonged.
    """
    # A lease that lies here for longer is as good as lost.
    patience = min(PATIENCE, lease_time / 2)
    outside = (OutsideSecrets(store, other) for other in others)
    return SecretServices(
        keeping=SecretService(store, clock, ids, cipher),
        lookup=SecretChain((DatabaseSecrets(store, cipher), *outside), patience),
        identity=IdentityService(store, clock, ids, cipher, terms, patience=patience),
    )

"""What knows callers, wired together."""

from dataclasses import dataclass

from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store
from lineshaft.services.access.authentication import Authentication
from lineshaft.services.access.browser_sessions import BrowserSessionService, SessionTimes
from lineshaft.services.access.credentials import CredentialService
from lineshaft.services.access.grants import GrantService
from lineshaft.services.access.known_callers import KnownCallers
from lineshaft.services.access.noting import Noting
from lineshaft.services.access.provider_sign_in import ProviderAccess, ProviderSignIn
from lineshaft.services.access.run_pipelines import RunPipelines
from lineshaft.services.access.tokens import TokenService
from lineshaft.services.access.users import UserService
from lineshaft.services.access.wrong_credentials import WrongCredentials


@dataclass(frozen=True, slots=True)
class AccessServices:
    """Who calls, and who may.

    Attributes:
        authentication: tells who calls.
        credentials: checks passwords.
        users: the use cases of users.
        grants: the use cases of grants.
        tokens: the use cases of tokens.
        browser_sessions: the browsers that have signed in.
        provider_sign_in: sign-in at an OpenID Connect provider; None where there is none.
        run_pipelines: which pipelines runs belong to, whose grants count for them.
        noting: has it written who was seen, and who was refused.
    """

    authentication: Authentication
    credentials: CredentialService
    users: UserService
    grants: GrantService
    tokens: TokenService
    browser_sessions: BrowserSessionService
    provider_sign_in: ProviderSignIn | None
    run_pipelines: RunPipelines
    noting: Noting


def wire_access(
    store: Store, clock: Clock, ids: Ids, session_times: SessionTimes, provider: ProviderAccess | None
) -> AccessServices:
    """Wire the services of callers.

    Args:
        store: where the state is.
        clock: tells the time.
        ids: makes ids.
        session_times: how long browser sessions last.
        provider: where else people may sign in; None for nowhere.
    """
    noting = Noting(store, clock, ids)
    callers = KnownCallers(store, clock, noting, session_times.idle)
    wrong = WrongCredentials(clock)
    credentials = CredentialService(store, clock, callers, wrong, noting)
    sessions = BrowserSessionService(store, clock, ids, callers, session_times)
    return AccessServices(
        authentication=Authentication(credentials, callers, wrong, noting),
        credentials=credentials,
        users=UserService(store, clock, ids, credentials.check, callers.forget),
        grants=GrantService(store, clock, ids, callers.forget),
        tokens=TokenService(store, clock, ids, callers.forget),
        browser_sessions=sessions,
        provider_sign_in=None if provider is None else ProviderSignIn(clock, ids, sessions, provider),
        run_pipelines=RunPipelines(store),
        noting=noting,
    )

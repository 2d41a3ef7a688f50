import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from accounts import ADMIN, BY, Accounts, principal
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import (
    BadCredentialsError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from lineshaft.model.principal import Means, Principal
from lineshaft.model.role import Role, Scope
from lineshaft.model.token import Expiry, Token
from lineshaft.services.access.tokens import MOST_TOKENS, TokenRequest
from lineshaft.services.access.users import UserChange
from planes import USERNAME

CI = TokenRequest("ci")


def by_token(user: Principal, token: Token) -> Principal:
    """Say who calls with a token."""
    return replace(user, means=Means.TOKEN, scope=token.scope, credential_id=token.id)


async def made(accounts: Accounts, by: Principal, asked: TokenRequest = CI) -> Token:
    return (await accounts.plane.access.tokens.create(by, BY, asked))[0]


async def listed(accounts: Accounts, by: Principal, user: str | None = None) -> Sequence[str]:
    return [
        token.name
        for token in await accounts.plane.access.tokens.page(by, user=user, after=None, limit=9_999)
    ]


async def test_a_token_is_told_once_and_kept_as_a_hash(accounts: Accounts) -> None:
    token, text = await accounts.plane.access.tokens.create(ADMIN, BY, CI)

    assert text.startswith("lst_")
    assert len(text) == len("lst_") + 43
    assert token.hash == hashlib.sha256(text.encode()).hexdigest()
    assert await accounts.tokens(USERNAME) == [token]
    assert text not in repr(await accounts.audit(Action.TOKEN_CREATED))


async def test_a_token_that_is_shown_says_who_calls(accounts: Accounts) -> None:
    token, text = await accounts.plane.access.tokens.create(ADMIN, BY, CI)

    caller, _ = await accounts.plane.access.authentication.by_token(text.encode(), "192.0.2.1")

    assert (caller.name, caller.scope, caller.credential_id) == (USERNAME, token.scope, token.id)
    assert await accounts.plane.access.tokens.shown(caller) == token
    assert await accounts.plane.access.tokens.shown(ADMIN) is None


async def test_nothing_said_makes_a_runner_for_ninety_days(accounts: Accounts) -> None:
    token = await made(accounts, ADMIN)

    assert token.scope == Scope(Role.RUNNER)
    assert token.expires_at == accounts.clock.now() + timedelta(days=90)
    (entry,) = await accounts.audit(Action.TOKEN_CREATED)
    assert (entry.actor, entry.target) == (BY, str(token.id))
    assert entry.detail == {
        "user": USERNAME,
        "name": "ci",
        "role": "runner",
        "pipelines": None,
        "expires_at": "2026-04-01T00:00:00.000000Z",
    }


async def test_whoever_is_less_than_a_runner_makes_tokens_of_their_own_role(accounts: Accounts) -> None:
    await accounts.user("ada", Role.VIEWER)

    assert (await made(accounts, principal("ada", Role.VIEWER))).scope == Scope(Role.VIEWER)


async def test_a_token_has_the_scope_and_the_time_that_were_asked_for(accounts: Accounts) -> None:
    shop = await accounts.pipeline()
    tomorrow = accounts.clock.now() + timedelta(days=1)

    token = await made(accounts, ADMIN, TokenRequest("a", Role.ADMIN, frozenset({shop}), tomorrow))
    forever = await made(accounts, ADMIN, TokenRequest("b", Role.VIEWER, None, Expiry.NEVER))

    assert (token.scope, token.expires_at) == (Scope(Role.ADMIN, frozenset({shop})), tomorrow)
    assert (forever.scope, forever.expires_at) == (Scope(Role.VIEWER), None)


@pytest.mark.parametrize(
    ("own", "asked"),
    [
        (Role.VIEWER, Role.RUNNER),
        (Role.RUNNER, Role.APPROVER),
        (Role.APPROVER, Role.MAINTAINER),
        (Role.MAINTAINER, Role.ADMIN),
    ],
)
async def test_nobody_makes_a_token_of_a_higher_role(accounts: Accounts, own: Role, asked: Role) -> None:
    await accounts.user("ada", own)

    with pytest.raises(ForbiddenError, match="cannot have more than who makes it"):
        await made(accounts, principal("ada", own), TokenRequest("ci", asked))

    assert await accounts.tokens("ada") == []
    assert await accounts.audit(Action.TOKEN_CREATED) == []


async def test_whoever_has_no_role_makes_no_token(accounts: Accounts) -> None:
    await accounts.user("ada")

    with pytest.raises(ForbiddenError, match="no role there"):
        await made(accounts, principal("ada"))


async def test_a_role_on_one_pipeline_makes_a_token_for_it(accounts: Accounts) -> None:
    await accounts.user("ada")
    shop, other = await accounts.pipeline(), await accounts.pipeline("other")
    ada = principal("ada", pipelines={shop: Role.MAINTAINER, other: Role.VIEWER})

    token = await made(accounts, ada, TokenRequest("ci", Role.MAINTAINER, frozenset({shop})))

    assert token.scope == Scope(Role.MAINTAINER, frozenset({shop}))
    with pytest.raises(ForbiddenError):
        await made(accounts, ada, TokenRequest("cd", Role.MAINTAINER, frozenset({other})))


async def test_pipelines_that_are_not_there_and_those_that_may_not_be_seen_are_refused_alike(
    accounts: Accounts,
) -> None:
    await accounts.user("ada")
    seen, unseen = await accounts.pipeline("seen"), await accounts.pipeline("unseen")
    ada = principal("ada", pipelines={seen: Role.RUNNER})

    for pipeline in (unseen, UUID(int=1)):
        with pytest.raises(InvalidInputError) as refused:
            await made(accounts, ada, TokenRequest("ci", None, frozenset({seen, pipeline})))
        (problem,) = refused.value.problems
        assert (problem.field, problem.message) == ("pipelines", f"there is no pipeline {pipeline}")


async def test_a_pipeline_that_was_deleted_is_refused(accounts: Accounts) -> None:
    gone = await accounts.pipeline()
    await accounts.plane.pipelines.delete(gone)

    with pytest.raises(InvalidInputError):
        await made(accounts, ADMIN, TokenRequest("ci", None, frozenset({gone})))


async def test_a_token_that_would_have_expired_is_refused(accounts: Accounts) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await made(accounts, ADMIN, replace(CI, expires=accounts.clock.now()))

    assert [problem.field for problem in refused.value.problems] == ["expires_at"]


async def test_a_name_is_one_tokens_alone_among_its_users(accounts: Accounts) -> None:
    await accounts.user("ada", Role.RUNNER)
    first = await made(accounts, ADMIN)

    with pytest.raises(ConflictError, match="has a token named 'ci'"):
        await made(accounts, ADMIN)

    assert await accounts.tokens(USERNAME) == [first]
    assert await made(accounts, principal("ada", Role.RUNNER))


async def test_a_user_has_so_many_tokens_at_most(accounts: Accounts) -> None:
    first = await made(accounts, ADMIN)
    others = [
        replace(first, id=UUID(int=number), name=f"t{number}", hash=str(number))
        for number in range(1, MOST_TOKENS)
    ]
    await accounts.plane.store.write(lambda transaction: [transaction.tokens.add(token) for token in others])

    with pytest.raises(ConflictError, match=f"{MOST_TOKENS} tokens, which is the limit"):
        await made(accounts, ADMIN, TokenRequest("one more"))


@pytest.mark.parametrize("asked", [TokenRequest("new", Role.APPROVER), TokenRequest("new", Role.ADMIN)])
async def test_a_token_makes_none_of_a_higher_role(accounts: Accounts, asked: TokenRequest) -> None:
    token = by_token(ADMIN, await made(accounts, ADMIN))

    with pytest.raises(ForbiddenError):
        await made(accounts, token, asked)


async def test_a_token_makes_none_for_other_pipelines(accounts: Accounts) -> None:
    shop, other = await accounts.pipeline(), await accounts.pipeline("other")
    narrow = await made(accounts, ADMIN, TokenRequest("narrow", Role.RUNNER, frozenset({shop})))
    token = by_token(ADMIN, narrow)

    with pytest.raises(InvalidInputError):
        await made(accounts, token, TokenRequest("new", None, frozenset({shop, other})))
    assert (await made(accounts, token)).scope == narrow.scope


async def test_a_token_makes_none_that_lives_longer(accounts: Accounts) -> None:
    soon = accounts.clock.now() + timedelta(days=1)
    token = by_token(ADMIN, await made(accounts, ADMIN, replace(CI, expires=soon)))

    later: list[datetime | Expiry] = [soon + timedelta(seconds=1), Expiry.NEVER]
    for expires in later:
        with pytest.raises(ForbiddenError, match="cannot live longer"):
            await made(accounts, token, TokenRequest("new", expires=expires))
    assert (await made(accounts, token, TokenRequest("a"))).expires_at == soon
    assert (await made(accounts, token, TokenRequest("b", expires=soon))).expires_at == soon


async def test_a_token_that_is_bound_to_a_certificate_makes_only_such(accounts: Accounts) -> None:
    bound = replace(await made(accounts, ADMIN), id=UUID(int=7), name="bound", hash="x", certificate="ab12")
    await accounts.plane.store.write(lambda transaction: transaction.tokens.add(bound))

    assert (await made(accounts, by_token(ADMIN, bound), TokenRequest("new"))).certificate == "ab12"


async def test_a_token_that_was_revoked_meanwhile_makes_none(accounts: Accounts) -> None:
    token = await made(accounts, ADMIN)
    await accounts.plane.access.tokens.revoke(ADMIN, BY, token.id)

    with pytest.raises(BadCredentialsError):
        await made(accounts, by_token(ADMIN, token), TokenRequest("new"))


async def test_a_user_who_was_disabled_or_deleted_meanwhile_gets_none(accounts: Accounts) -> None:
    await accounts.user("ada", Role.RUNNER)
    ada = principal("ada", Role.RUNNER)

    await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(disabled=True))
    with pytest.raises(BadCredentialsError):
        await made(accounts, ada)
    await accounts.plane.access.users.delete(BY, "ada")
    with pytest.raises(BadCredentialsError):
        await made(accounts, ada)

    assert await accounts.tokens("ada") == []


async def test_tokens_are_listed_by_name_page_by_page(accounts: Accounts) -> None:
    for name in ("b", "a", "c"):
        await made(accounts, ADMIN, TokenRequest(name))

    first = await accounts.plane.access.tokens.page(ADMIN, user=None, after=None, limit=2)
    rest = await accounts.plane.access.tokens.page(ADMIN, user=None, after=first[-1].name, limit=2)

    assert [token.name for token in (*first, *rest)] == ["a", "b", "c"]


async def test_the_tokens_of_others_are_for_admins(accounts: Accounts) -> None:
    ada = principal("ada", Role.MAINTAINER)
    await accounts.user("ada", Role.MAINTAINER)
    await made(accounts, ada)

    assert await listed(accounts, ADMIN, "ada") == ["ci"]
    assert await listed(accounts, ada, "ada") == ["ci"]
    assert await listed(accounts, ADMIN) == []
    with pytest.raises(ForbiddenError):
        await listed(accounts, ada, USERNAME)
    with pytest.raises(ForbiddenError):
        await listed(accounts, ada, "nobody")
    with pytest.raises(NotFoundError):
        await listed(accounts, ADMIN, "nobody")


async def test_an_admins_token_for_less_lists_and_revokes_its_own_alone(accounts: Accounts) -> None:
    ada = principal("ada", Role.RUNNER)
    await accounts.user("ada", Role.RUNNER)
    hers = await made(accounts, ada)
    mine = await made(accounts, ADMIN, TokenRequest("mine", Role.MAINTAINER))
    token = by_token(ADMIN, mine)

    with pytest.raises(ForbiddenError):
        await listed(accounts, token, "ada")
    with pytest.raises(NotFoundError):
        await accounts.plane.access.tokens.revoke(token, BY, hers.id)
    await accounts.plane.access.tokens.revoke(token, BY, mine.id)


async def test_a_revoked_token_is_worth_nothing_at_once(accounts: Accounts) -> None:
    token, text = await accounts.plane.access.tokens.create(ADMIN, BY, CI)
    await accounts.plane.access.authentication.by_token(text.encode(), "")

    await accounts.plane.access.tokens.revoke(ADMIN, BY, token.id)

    with pytest.raises(BadCredentialsError):
        await accounts.plane.access.authentication.by_token(text.encode(), "")
    (entry,) = await accounts.audit(Action.TOKEN_REVOKED)
    assert (entry.actor, entry.target, entry.detail) == (BY, str(token.id), {"user": USERNAME, "name": "ci"})
    with pytest.raises(NotFoundError):
        await accounts.plane.access.tokens.revoke(ADMIN, BY, token.id)


async def test_anothers_token_is_not_there_for_whoever_is_no_admin(accounts: Accounts) -> None:
    await accounts.user("ada", Role.MAINTAINER)
    token = await made(accounts, ADMIN)

    with pytest.raises(NotFoundError):
        await accounts.plane.access.tokens.revoke(principal("ada", Role.MAINTAINER), BY, token.id)
    assert await listed(accounts, ADMIN) == ["ci"]


async def test_an_admin_revokes_any(accounts: Accounts) -> None:
    await accounts.user("ada", Role.RUNNER)
    token = await made(accounts, principal("ada", Role.RUNNER))

    await accounts.plane.access.tokens.revoke(ADMIN, BY, token.id)

    assert await accounts.tokens("ada") == []

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lineshaft.model.errors import MailRefusedError, MailUnreachableError
from lineshaft.ports.mailer import Handover, Mail

ANN, BOB, CAT = "ann@example.org", "bob@example.org", "cat@example.org"
MAIL = Mail(
    id="0190.1",
    to=(ANN, BOB),
    cc=(CAT,),
    subject="shop #1 failed",
    text="It failed.\n",
    html=None,
    at=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
)


async def test_a_mail_arrives_at_all_its_recipients(office: Any) -> None:
    assert await office.mailer.send(MAIL, [ANN, BOB, CAT]) == Handover()

    [mail] = office.arrived()
    assert (mail.id, mail.recipients) == ("0190.1", (ANN, BOB, CAT))
    assert (mail.subject, mail.text.splitlines()) == ("shop #1 failed", ["It failed."])


async def test_only_those_get_it_that_are_named_at_the_call(office: Any) -> None:
    await office.mailer.send(MAIL, [BOB])

    assert [mail.recipients for mail in office.arrived()] == [(BOB,)]


async def test_a_repeat_has_the_same_id(office: Any) -> None:
    for _ in range(2):
        await office.mailer.send(MAIL, [ANN])

    assert [mail.id for mail in office.arrived()] == ["0190.1", "0190.1"]


async def test_recipients_that_are_refused_or_put_off_are_told_apart(office: Any) -> None:
    office.refuse(ANN)
    office.put_off(BOB)

    handover = await office.mailer.send(MAIL, [ANN, BOB, CAT])

    assert (set(handover.refused), set(handover.put_off)) == ({ANN}, {BOB})
    assert [mail.recipients for mail in office.arrived()] == [(CAT,)]


async def test_that_nobody_gets_it_is_told_recipient_by_recipient(office: Any) -> None:
    office.refuse(ANN)
    office.put_off(BOB)

    handover = await office.mailer.send(MAIL, [ANN, BOB])

    assert (set(handover.refused), set(handover.put_off)) == ({ANN}, {BOB})
    assert office.arrived() == []


async def test_a_mail_that_is_refused_for_good_is_an_error(office: Any) -> None:
    office.refuse_all()

    with pytest.raises(MailRefusedError):
        await office.mailer.send(MAIL, [ANN])


async def test_a_server_that_takes_nothing_now_is_an_error_of_its_own(office: Any) -> None:
    office.go_away()

    with pytest.raises(MailUnreachableError):
        await office.mailer.send(MAIL, [ANN])


async def test_several_mails_go_at_once(office: Any) -> None:
    mails = [replace(MAIL, id=f"0190.{number}") for number in range(8)]

    await asyncio.gather(*(office.mailer.send(mail, [ANN]) for mail in mails))

    assert sorted(mail.id for mail in office.arrived()) == [mail.id for mail in mails]

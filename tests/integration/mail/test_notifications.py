"""Who is told how a run has ended, once, and what becomes of it when the mail server does not play along."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run, Source
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.mailer import FakeMailer, Mail
from lineshaft.ports.store import OutboxEntry
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.notifying.delivery import GIVE_UP_AFTER
from lineshaft.services.notifying.terms import MailTerms
from lineshaft.services.run_request import RunRequest
from lineshaft.wire.worker import ClaimRequest, Hello, Report
from planes import temporary_plane

TEAM, BOSS = "team@example.org", "boss@example.org"
SHOP = f"""
name: shop
notify:
  - email: {{to: {TEAM}}}
  - on: [succeeded]
    email: {{to: [{TEAM}], cc: {BOSS}, subject: "${{{{ pipeline.name }}}} is fine"}}
steps:
  - {{name: lint, run: make lint, allow_failure: true}}
  - {{name: test, steps: [{{name: unit, run: make test}}]}}
"""
FAILED = Outcome(State.FAILED, Reason(ReasonCode.EXIT_CODE, "The command ended with exit code 2."), 2)
FINE = Outcome(State.SUCCEEDED)
TERMS = MailTerms("https://ci.example.org/", frozenset({"example.org"}))


@dataclass
class Shop:
    """A control plane that sends mail, and a worker that does what a test tells it."""

    plane: ControlPlane
    clock: ManualClock
    mailer: FakeMailer

    @property
    def mails(self) -> list[Mail]:
        return [mail for mail, _ in self.mailer.sent]

    async def run(
        self, *outcomes: Outcome, text: str = SHOP, request: RunRequest | None = None, log: bytes = b""
    ) -> Run:
        """Run a pipeline whose tasks end so, and settle what is to be done then."""
        pipeline = await self.plane.pipelines.create(read_native(text.encode()))
        run = await self.plane.runs.trigger(pipeline.id, request or RunRequest())
        hello = Hello(name="w", kinds=frozenset({WorkKind.RUN}), slots=100)
        worker = await self.plane.fleet.desk.register(hello)
        for outcome in outcomes:
            claim = ClaimRequest(worker_id=worker.worker_id, slots=1)
            [lease] = (await self.plane.fleet.desk.claim(claim)).leases
            await self.plane.fleet.desk.append_log(lease.address, lease.token, 0, log)
            report = Report(
                worker_id=worker.worker_id, address=lease.address, token=lease.token, outcome=outcome
            )
            await self.plane.fleet.desk.report(report)
        await self.plane.settle()
        return await self.plane.runs.get(run.id)

    async def later(self, time: timedelta) -> None:
        self.clock.advance(time)
        await self.plane.settle()

    async def queued(self) -> list[OutboxEntry]:
        """List all that the outbox holds, whenever it is due."""
        far = self.clock.now() + timedelta(days=9)
        return list(await self.plane.store.read(lambda transaction: transaction.outbox.due(far, 99)))


@asynccontextmanager
async def opened(
    folder: Path, mailer: FakeMailer | None, clock: ManualClock | None = None, url: str = "sqlite://"
) -> AsyncIterator[Shop]:
    clock = clock or ManualClock()
    async with temporary_plane(folder, clock, url=url, mailer=mailer, mail_terms=TERMS) as plane:
        yield Shop(plane, clock, mailer or FakeMailer())


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path, FakeMailer()) as made:
        yield made


async def test_a_run_that_fails_sends_one_mail_that_tells_where_and_why(shop: Shop) -> None:
    run = await shop.run(FAILED, FAILED, log=b"collecting\n\x1b[31mE  assert 1 == 2\x1b[0m\n")

    [(mail, recipients)] = shop.mailer.sent
    assert recipients == (TEAM,)
    assert mail.id == f"{run.id}.0"
    assert mail.subject == "shop #1 failed"
    assert mail.text == (
        "Run 1 of shop failed.\n"
        "\n"
        "test/unit failed: The command ended with exit code 2.\n"
        "\n"
        "    collecting\n"
        "    E  assert 1 == 2\n"
        "\n"
        "Started by  manual\n"
        "Took        0 s\n"
        "\n"
        f"https://ci.example.org/v1/runs/{run.id}\n"
    )
    assert "<b>test/unit</b> failed: The command ended with exit code 2." in (mail.html or "")
    assert await shop.queued() == []


async def test_each_end_is_told_to_those_who_asked_for_it(shop: Shop) -> None:
    await shop.run(FINE, FINE)

    [(mail, recipients)] = shop.mailer.sent
    assert recipients == (TEAM, BOSS)
    assert (mail.to, mail.cc, mail.subject) == ((TEAM,), (BOSS,), "shop is fine")


async def test_a_run_that_is_cancelled_is_told_only_where_that_is_asked_for(shop: Shop) -> None:
    text = f"""
name: shop
notify: [{{email: {{to: {TEAM}}}}}, {{on: [cancelled], email: {{to: {BOSS}}}}}]
steps: [{{name: a, run: make}}]
"""
    run = await shop.run(text=text)
    await shop.plane.runs.cancel(run.id)
    await shop.plane.settle()

    [(mail, recipients)] = shop.mailer.sent
    assert recipients == (BOSS,)
    assert mail.text.startswith("Run 1 of shop was cancelled.\n\na was cancelled: A user cancelled the run.")


async def test_a_run_that_cannot_begin_is_told_too(shop: Shop) -> None:
    text = f"""
name: shop
notify: [{{email: {{to: {TEAM}}}}}]
steps: [{{name: a, run: make, secrets: [NOWHERE]}}]
"""
    run = await shop.run(text=text)

    assert run.state is State.FAILED
    [mail] = shop.mails
    assert "NOWHERE" in mail.text


async def test_templates_see_how_the_run_has_ended(shop: Shop) -> None:
    text = f"""
name: shop
notify:
  - email:
      to: {TEAM}
      subject: "${{{{ pipeline.name }}}} ${{{{ run.number }}}}: ${{{{ run.state }}}} on ${{{{ branch }}}}"
      body: >-
        ${{{{ run.reason }}}} ${{{{ failed() }}}} ${{{{ state('a') }}}}
        ${{{{ run.trace }}}} ${{{{ run.url }}}}
steps: [{{name: a, run: make}}]
"""
    run = await shop.run(FAILED, text=text, request=RunRequest(ref="refs/heads/main"))

    [mail] = shop.mails
    assert mail.subject == "shop 1: failed on main"
    url = f"https://ci.example.org/v1/runs/{run.id}"
    assert mail.text == f"'a' failed. true failed {run.id.hex} {url}"
    assert mail.html is None


HOSTILE = "x\r\nBcc: eve@example.net\r\n\r\n<script>alert(1)</script>"


async def test_what_comes_from_outside_is_nothing_but_text(shop: Shop) -> None:
    text = f"""
name: shop
notify:
  - email: {{to: {TEAM}, subject: "${{{{ commit.message }}}}", body: "<p>${{{{ branch }}}}</p>", html: true}}
steps: [{{name: a, run: make}}]
"""
    source = Source("", commit="0" * 40, branch=HOSTILE, message=HOSTILE)
    await shop.run(FAILED, text=text, request=RunRequest(revision=source))

    [mail] = shop.mails
    assert mail.subject == "x Bcc: eve@example.net <script>alert(1)</script>"
    assert "<script>" not in (mail.html or "")
    assert mail.text == ""


async def test_an_ordinary_mail_holds_what_comes_from_outside_in_its_lines(shop: Shop) -> None:
    source = Source(
        "https://ann:secret@git.example.org/shop.git",
        "0" * 40,
        branch=HOSTILE,
        message=HOSTILE,
        author=HOSTILE,
    )
    await shop.run(FINE, FAILED, request=RunRequest(revision=source), log=f"{HOSTILE}\n".encode())

    [mail] = shop.mails
    assert "\n" not in mail.subject
    assert "<script>" not in (mail.html or "")
    assert "secret" not in mail.text + (mail.html or "")
    assert "Branch      x Bcc: eve@example.net <script>alert(1)</script>\n" in mail.text


async def test_what_an_untrusted_change_prints_is_not_mailed(shop: Shop) -> None:
    await shop.run(FINE, FAILED, request=RunRequest(untrusted=True), log=b"click here\n")

    [mail] = shop.mails
    assert "test/unit failed" in mail.text
    assert "click here" not in mail.text


async def test_a_template_that_cannot_be_evaluated_gives_way_to_the_ordinary_text(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"""
name: shop
notify: [{{email: {{to: {TEAM}, subject: "${{{{ 1 / 0 }}}}", body: "${{{{ outputs.a.no }}}}"}}}}]
steps: [{{name: a, run: make}}]
"""
    with caplog.at_level(logging.WARNING, "lineshaft.mail"):
        await shop.run(FAILED, text=text)

    [mail] = shop.mails
    assert mail.subject == "shop #1 failed"
    assert mail.text.startswith("Run 1 of shop failed.")
    assert "an ordinary mail is sent" in caplog.text


AUTHOR = f"""
name: shop
notify: [{{email: {{to: author, cc: {BOSS}}}}}]
steps: [{{name: a, run: make}}]
"""


@pytest.mark.parametrize(
    ("author", "to"),
    [
        ("Ann <ann@example.org>", ("ann@example.org",)),
        ("ann@EXAMPLE.org", ("ann@EXAMPLE.org",)),
        (f"Boss <{BOSS}>", (BOSS,)),
        ("Eve <eve@example.net>", ()),
        ("Eve <eve@sub.example.org>", ()),
        ("Ann <ann@example.org> <eve@example.net>", ()),
        ("Ann <ann@example.org\r\nBcc: eve@example.net>", ()),
        ("Ann <ann@example.org,eve@example.net>", ()),
        ("Ann", ()),
        ("", ()),
    ],
)
async def test_the_author_of_a_commit_is_told_only_at_domains_that_are_allowed(
    shop: Shop, author: str, to: tuple[str, ...]
) -> None:
    await shop.run(FAILED, text=AUTHOR, request=RunRequest(revision=Source("", "0" * 40, author=author)))

    [mail] = shop.mails
    assert mail.to == to
    assert set(mail.to + mail.cc) == {*to, BOSS}
    assert len(mail.to + mail.cc) == len(set(mail.to + mail.cc))


async def test_a_mail_for_nobody_is_not_sent(shop: Shop) -> None:
    await shop.run(FAILED, text=AUTHOR.replace(f", cc: {BOSS}", ""))

    assert shop.mails == []
    assert await shop.queued() == []


async def test_without_a_mail_server_nothing_is_queued(tmp_path: Path) -> None:
    async with opened(tmp_path, None) as shop:
        await shop.run(FAILED, FAILED)

        assert await shop.queued() == []


async def test_a_mail_server_that_is_away_gets_the_mail_when_it_is_back(shop: Shop) -> None:
    shop.mailer.away = True
    run = await shop.run(FAILED, FAILED)
    await shop.later(timedelta(minutes=1))
    assert [entry.tries for entry in await shop.queued()] == [2]

    shop.mailer.away = False
    await shop.later(timedelta(minutes=1))
    assert [mail.id for mail in shop.mails] == [f"{run.id}.0"]
    assert await shop.queued() == []


async def test_a_mail_that_nobody_takes_is_given_up_after_a_day(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.mailer.away = True
    await shop.run(FAILED, FAILED)
    await shop.later(GIVE_UP_AFTER)
    assert len(await shop.queued()) == 1

    with caplog.at_level(logging.ERROR, "lineshaft.mail"):
        await shop.later(timedelta(minutes=11))
    assert await shop.queued() == []
    assert f"the mail for {TEAM} is given up after 1 day" in caplog.text


async def test_a_server_that_was_away_for_days_still_tries_once(shop: Shop) -> None:
    shop.mailer.away = True
    pipeline = await shop.plane.pipelines.create(read_native(SHOP.encode()))
    run = await shop.plane.runs.trigger(pipeline.id)
    await shop.plane.runs.cancel(run.id)
    entry = OutboxEntry(RandomIds().new_id(), "notify", {"run_id": str(run.id), "position": 0})
    await shop.plane.store.write(lambda transaction: transaction.outbox.add(entry, shop.clock.now()))
    shop.mailer.away = False

    await shop.later(timedelta(days=3))
    assert len(shop.mails) == 1


async def test_a_recipient_that_is_refused_for_good_is_logged_and_not_tried_again(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.mailer.refuses.add(TEAM)
    with caplog.at_level(logging.WARNING, "lineshaft.mail"):
        await shop.run(FINE, FINE)

    assert [recipients for _, recipients in shop.mailer.sent] == [(BOSS,)]
    assert await shop.queued() == []
    assert f"never takes mail for {TEAM}" in caplog.text


async def test_a_recipient_that_is_put_off_gets_the_same_mail_later_alone(shop: Shop) -> None:
    shop.mailer.puts_off.add(TEAM)
    run = await shop.run(FINE, FINE)
    shop.mailer.puts_off.clear()
    await shop.later(timedelta(minutes=1))
    await shop.later(timedelta(hours=1))

    assert [recipients for _, recipients in shop.mailer.sent] == [(BOSS,), (TEAM,)]
    assert {mail.id for mail in shop.mails} == {f"{run.id}.1"}
    assert await shop.queued() == []


async def test_a_mail_that_is_refused_for_good_is_not_tried_again(shop: Shop) -> None:
    shop.mailer.refuses_all = True
    await shop.run(FAILED, FAILED)

    assert shop.mails == []
    assert await shop.queued() == []


async def test_a_mail_about_a_run_that_is_gone_is_dropped(shop: Shop) -> None:
    nobody = RandomIds().new_id()
    entry = OutboxEntry(nobody, "notify", {"run_id": str(nobody), "position": 0})
    await shop.plane.store.write(lambda transaction: transaction.outbox.add(entry, shop.clock.now()))
    await shop.plane.settle()

    assert shop.mails == []
    assert await shop.queued() == []


async def test_several_servers_on_one_database_send_each_mail_once(tmp_path: Path, postgres_url: str) -> None:
    mailer, clock = FakeMailer(), ManualClock()
    async with (
        opened(tmp_path, mailer, clock, postgres_url) as first,
        opened(tmp_path, mailer, clock, postgres_url) as second,
    ):
        text = SHOP.replace("- on: [succeeded]", "- on: [cancelled]")
        pipeline = await first.plane.pipelines.create(read_native(text.encode()))
        runs = [await first.plane.runs.trigger(pipeline.id) for _ in range(20)]
        for run in runs:
            await first.plane.runs.cancel(run.id)

        await asyncio.gather(first.plane.settle(), second.plane.settle())

        assert sorted(mail.id for mail in first.mails) == sorted(f"{run.id}.1" for run in runs)
        assert await first.queued() == []

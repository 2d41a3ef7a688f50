"""kill -9 of `lineshaft up` while a mail is being handed over, and a new start on the same data."""

import signal
import sqlite3
from pathlib import Path

import httpx2

from http_pipelines import Document, finish, start_of
from integration.crash.test_kill import up
from mail_server import MailServer, mail_server

TEAM = "team@example.org"
DEFINITION = {
    "name": "shop",
    "notify": [{"email": {"to": [TEAM]}}],
    "steps": [{"name": "a", "run": "echo last words; exit 3"}],
}


def settings(server: MailServer) -> dict[str, str]:
    return {
        "LINESHAFT_SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "LINESHAFT_SMTP_FROM": "ci@example.org",
        "LINESHAFT_PUBLIC_URL": "https://ci.example.org",
    }


def failing_run(api: httpx2.Client) -> Document:
    answer = api.post("/v1/pipelines", json=DEFINITION)
    assert answer.status_code == 201, answer.text
    return start_of(api, answer.json()["id"])


def let_time_pass(data: Path) -> None:
    """Make all of the outbox due, as it will be when the time of whoever took it is over."""
    with sqlite3.connect(data / "lineshaft.db") as database:
        database.execute("UPDATE outbox SET due_at = '2000-01-01 00:00:00.000000'")
    database.close()


def test_a_failing_run_sends_exactly_one_mail(tmp_path: Path) -> None:
    with mail_server() as server, up(tmp_path, **settings(server)) as (_, api):
        run = finish(api, failing_run(api))
        mail = server.next_mail()
        finish(api, start_of(api, run["pipeline_id"]))
        other = server.next_mail()
        assert server.received == [mail, other]

    assert run["state"] == "failed"
    assert mail.message["Message-ID"] == f"<{run['id']}.0@example.org>"
    assert (mail.message["Subject"], other.message["Subject"]) == ("shop #1 failed", "shop #2 failed")
    body = mail.message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "a failed: The command exited with code 3." in text
    assert "    last words" in text
    assert f"https://ci.example.org/v1/runs/{run['id']}" in text


def test_a_kill_repeats_a_mail_at_most_under_the_same_message_id(tmp_path: Path) -> None:
    with mail_server() as server:
        server.answers.clear()
        with up(tmp_path, **settings(server)) as (process, api):
            run = failing_run(api)
            # It has come, and is not answered yet.
            first = server.next_mail()
            process.stop(signal.SIGKILL)
        server.answers.set()

        let_time_pass(tmp_path)
        with up(tmp_path, **settings(server)) as (_, api):
            second = server.next_mail()
            assert finish(api, run)["state"] == "failed"

    assert first.message["Message-ID"] == second.message["Message-ID"] == f"<{run['id']}.0@example.org>"
    assert len(server.received) == 2

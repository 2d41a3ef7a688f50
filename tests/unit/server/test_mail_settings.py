from pathlib import Path
from typing import Any

import pytest

from lineshaft.integrations.mail import Security, SmtpAccess
from lineshaft.model.errors import ConfigurationError
from lineshaft.server.settings import ServerSettings

FROM = "ci@example.org"


def load(tmp_path: Path, **said: Any) -> ServerSettings:
    config = tmp_path / "config.toml"
    config.touch()
    return ServerSettings.load(config=config, **said)


def test_without_an_address_no_mail_is_sent(tmp_path: Path) -> None:
    assert load(tmp_path).smtp_access is None


@pytest.mark.parametrize(
    ("url", "port", "security"),
    [
        ("smtp://mail.example.org", 25, Security.NONE),
        ("smtps://mail.example.org/", 465, Security.TLS),
        ("smtp+starttls://mail.example.org", 587, Security.STARTTLS),
        ("smtp+starttls://mail.example.org:2525", 2525, Security.STARTTLS),
    ],
)
def test_the_address_says_how_the_connection_is_protected(
    tmp_path: Path, url: str, port: int, security: Security
) -> None:
    access = load(tmp_path, smtp_url=url, smtp_from=FROM).smtp_access
    assert access == SmtpAccess("mail.example.org", port, security, FROM)


def test_who_signs_in_has_a_password_in_a_file_or_by_itself(tmp_path: Path) -> None:
    said = {"smtp_url": "smtps://mail.example.org", "smtp_from": FROM, "smtp_username": "ci"}
    by_file = load(tmp_path, **said, smtp_password_file="/run/password").smtp_access
    by_word = load(tmp_path, **said, smtp_password="s3cret").smtp_access
    assert by_file is not None
    assert by_word is not None
    assert (by_file.username, by_file.password, by_file.password_file) == ("ci", None, Path("/run/password"))
    assert (by_word.password, by_word.password_file) == ("s3cret", None)
    assert "s3cret" not in repr(by_word)


def test_a_password_may_go_to_this_machine_unprotected(tmp_path: Path) -> None:
    said = {"smtp_url": "smtp://127.0.0.1:25", "smtp_from": FROM, "smtp_username": "ci"}
    assert load(tmp_path, **said, smtp_password="s3cret").smtp_access is not None


def test_the_domains_of_authors_are_a_list(tmp_path: Path) -> None:
    settings = load(tmp_path, mail_author_domains="Example.org, @example.com,")
    assert settings.mail_author_domains == ("example.org", "example.com")
    assert settings.mail_terms.author_domains == {"example.org", "example.com"}
    assert load(tmp_path).mail_terms.author_domains == frozenset()


URL = "smtps://mail.example.org"


@pytest.mark.parametrize(
    "said",
    [
        {"smtp_url": URL},
        {"smtp_from": FROM},
        {"smtp_password_file": "/p"},
        {"smtp_username": "ci"},
        {"smtp_url": URL, "smtp_from": "Ann <ann@example.org>"},
        {"smtp_url": URL, "smtp_from": FROM, "smtp_username": "ci"},
        {"smtp_url": URL, "smtp_from": FROM, "smtp_password": "x"},
        {
            "smtp_url": URL,
            "smtp_from": FROM,
            "smtp_username": "ci",
            "smtp_password": "x",
            "smtp_password_file": "/p",
        },
        {
            "smtp_url": "smtp://mail.example.org",
            "smtp_from": FROM,
            "smtp_username": "ci",
            "smtp_password": "x",
        },
        {"smtp_url": URL, "smtp_from": FROM, "smtp_ca_file": "/nowhere/ca.pem"},
        {"smtp_url": "mail.example.org", "smtp_from": FROM},
        {"smtp_url": "http://mail.example.org", "smtp_from": FROM},
        {"smtp_url": "smtp://", "smtp_from": FROM},
        {"smtp_url": "smtp://a:b@mail.example.org", "smtp_from": FROM},
        {"smtp_url": "smtp://mail.example.org:0", "smtp_from": FROM},
        {"smtp_url": "smtp://mail.example.org:99999", "smtp_from": FROM},
        {"smtp_url": "smtp://mail.example.org/path", "smtp_from": FROM},
        {"smtp_url": "smtp://mail.example.org?x=1", "smtp_from": FROM},
        {"mail_author_domains": "example.org,*"},
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, said: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        load(tmp_path, **said)

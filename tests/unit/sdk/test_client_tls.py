"""What is said of TLS files that a client cannot use."""

import re
from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.client_tls import ClientTls

HTTPS = "https://ci.example.org"


def test_authorities_that_are_not_there_are_named_with_their_setting(tmp_path: Path) -> None:
    file = tmp_path / "missing.pem"

    with pytest.raises(ConfigurationError, match=re.escape(f"{file} cannot be used for TLS: ")) as told:
        ClientTls(ca_file=file).verification(HTTPS)

    assert told.value.advice == "LINESHAFT_CA_FILE names a PEM file."


def test_authorities_that_make_no_sense_are_named(tmp_path: Path) -> None:
    file = tmp_path / "nonsense.pem"
    file.write_text("nonsense")

    with pytest.raises(ConfigurationError, match=re.escape(str(file))):
        ClientTls(ca_file=file).verification(HTTPS)


def test_of_certificate_and_key_the_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    there, missing = tmp_path / "cert.pem", tmp_path / "key.pem"
    there.write_text("nonsense")

    with pytest.raises(ConfigurationError, match=re.escape(f"{missing} cannot be used")) as told:
        ClientTls(certificate=there, key=missing).verification(HTTPS)

    assert str(there) not in told.value.message
    assert "LINESHAFT_CLIENT_KEY" in told.value.advice


def test_a_certificate_and_a_key_that_do_not_fit_are_both_named(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for file in (certificate, key):
        file.write_text("nonsense")

    with pytest.raises(ConfigurationError, match=re.escape(f"{certificate} with {key} cannot be used")):
        ClientTls(certificate=certificate, key=key).verification(HTTPS)


def test_no_file_is_read_where_there_is_no_tls(tmp_path: Path) -> None:
    assert ClientTls(ca_file=tmp_path / "missing.pem").verification("http://localhost:5001") is False

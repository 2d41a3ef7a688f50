"""TLS: the server's certificate, those of clients, and keys that are good with one of them alone."""

import hashlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from integration.certificates import Certified
from lineshaft.model.errors import BadCredentialsError, ConfigurationError, ServerUnreachableError
from lineshaft.sdk.client import Client
from lineshaft.sdk.client_tls import ClientTls
from lineshaft.sdk.config import ClientConfig
from lineshaft.server.tls import Tls
from server_process import ServerProcess, server_process

ADMIN = ("admin", "admin")


@pytest.fixture
def another(tmp_path: Path) -> Certified:
    made = Certified(tmp_path / "other-cert.pem", tmp_path / "other-key.pem")
    certify(made, "another")
    return made


def certify(made: Certified, name: str) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is missing; Debian has it in the package openssl")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"),
            *("-keyout", made.key, "-out", made.certificate),
        ],
        check=True,
        capture_output=True,
    )


def thumbprint(made: Certified) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(made.certificate.read_text("utf-8"))).hexdigest()


@contextmanager
def serving(folder: Path, certified: Certified, **variables: str) -> Iterator[ServerProcess]:
    files = {"LINESHAFT_TLS_CERT": str(certified.certificate), "LINESHAFT_TLS_KEY": str(certified.key)}
    given: dict[str, Any] = files | variables
    with server_process(folder / "data", "server", **given) as server:
        yield server


def client(address: str, tls: ClientTls) -> Client:
    return Client(replace(ClientConfig(address, *ADMIN), tls=tls))


def test_a_server_with_a_certificate_is_called_by_https(tmp_path: Path, certified: Certified) -> None:
    with serving(tmp_path, certified) as server:
        address = server.address()
        assert address.startswith("https://127.0.0.1:")

        with client(address, ClientTls(ca_file=certified.certificate)) as trusting:
            assert list(trusting.pipelines()) == []
        with (
            client(address, ClientTls()) as doubting,
            pytest.raises(ServerUnreachableError, match="certificate") as refused,
        ):
            doubting.ping()
        assert "LINESHAFT_CA_FILE" in refused.value.advice
        context = ssl.create_default_context(cafile=certified.certificate)
        answer = httpx2.get(f"{address}/health", verify=context)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_renewed_certificate_is_served_without_a_restart(
    tmp_path: Path, certified: Certified, another: Certified
) -> None:
    with serving(tmp_path, certified) as server:
        address = server.address()
        old = client(address, ClientTls(ca_file=another.certificate))
        with old, pytest.raises(ServerUnreachableError):
            old.ping()

        shutil.copy(another.key, certified.key)
        shutil.copy(another.certificate, certified.certificate)

        with client(address, ClientTls(ca_file=another.certificate)) as new:
            new.ping()


def test_a_certificate_that_makes_no_sense_leaves_the_former_in_use(
    tmp_path: Path, certified: Certified
) -> None:
    known = Certified(tmp_path / "known.pem", certified.key)
    shutil.copy(certified.certificate, known.certificate)
    with serving(tmp_path, certified) as server:
        address = server.address()
        certified.certificate.write_text("nonsense")

        with client(address, ClientTls(ca_file=known.certificate)) as trusting:
            trusting.ping()


def test_who_shows_no_certificate_is_not_served_where_one_is_required(
    tmp_path: Path, certified: Certified
) -> None:
    required = {
        "LINESHAFT_TLS_CLIENT_CA": str(certified.certificate),
        "LINESHAFT_TLS_CLIENT_REQUIRED": "true",
    }
    plain = ClientTls(ca_file=certified.certificate)
    with serving(tmp_path, certified, **required) as server:
        address = server.address()
        with client(address, plain) as stranger, pytest.raises(ServerUnreachableError):
            stranger.ping()
        with client(address, replace(plain, certificate=certified.certificate, key=certified.key)) as known:
            known.ping()


def test_a_worker_key_that_is_bound_to_a_certificate_is_good_with_that_alone(
    tmp_path: Path, certified: Certified, another: Certified
) -> None:
    both = tmp_path / "authorities.pem"
    both.write_text(certified.certificate.read_text("utf-8") + another.certificate.read_text("utf-8"))
    plain = ClientTls(ca_file=certified.certificate)
    with serving(tmp_path, certified, LINESHAFT_TLS_CLIENT_CA=str(both)) as server:
        address = server.address()
        with client(address, plain) as admin:
            key = admin.create_worker_key("bound", certificate=thumbprint(another)).key

        def registering(tls: ClientTls, shown: str | None = key) -> httpx2.Response:
            with httpx2.Client(base_url=address, verify=tls.verification(address)) as http:
                return http.post(
                    "/v1/worker/register",
                    headers={"Authorization": f"Bearer {shown}", "Lineshaft-Protocol": "3"},
                    json={"protocol": 3, "name": "w", "kinds": ["run"], "slots": 1},
                )

        known = replace(plain, certificate=certified.certificate, key=certified.key)
        for tls in (plain, known):
            refused = registering(tls)
            assert (refused.status_code, refused.json()["needs_certificate"]) == (401, True)
            assert "client certificate" in refused.json()["detail"]
        assert "needs_certificate" not in registering(plain, f"{key}x").json()
        assert registering(replace(plain, certificate=another.certificate, key=another.key)).is_success


def test_a_token_that_is_bound_to_a_certificate_is_good_with_that_alone_and_says_so(
    tmp_path: Path, certified: Certified, another: Certified
) -> None:
    both = tmp_path / "authorities.pem"
    both.write_text(certified.certificate.read_text("utf-8") + another.certificate.read_text("utf-8"))
    plain = ClientTls(ca_file=certified.certificate)
    with serving(tmp_path, certified, LINESHAFT_TLS_CLIENT_CA=str(both)) as server:
        address = server.address()
        asked = {"name": "bound", "certificate": thumbprint(another)}
        context = plain.verification(address)
        with httpx2.Client(base_url=address, verify=context, auth=("admin", "admin")) as admin:
            token = admin.post("/v1/tokens", json=asked).raise_for_status().json()["token"]

        with (
            Client(ClientConfig(address, "", "", token, tls=plain)) as unbound,
            pytest.raises(BadCredentialsError, match="client certificate") as refused,
        ):
            unbound.me()
        assert "LINESHAFT_CLIENT_CERT" in refused.value.advice
        with (
            Client(ClientConfig(address, "", "", f"{token}x", tls=plain)) as wrong,
            pytest.raises(BadCredentialsError) as told,
        ):
            wrong.me()
        assert not told.value.needs_certificate
        tls = replace(plain, certificate=another.certificate, key=another.key)
        with Client(ClientConfig(address, "", "", token, tls=tls)) as bound:
            assert bound.me().name == "admin"


@pytest.mark.parametrize(
    ("cert", "key"), [("missing.pem", None), ("nonsense.pem", None), ("cert.pem", "other-key.pem")]
)
def test_files_that_cannot_be_used_are_named_before_anything_begins(
    tmp_path: Path, certified: Certified, another: Certified, cert: str, key: str | None
) -> None:
    assert certified.certificate.parent == another.key.parent == tmp_path
    (tmp_path / "nonsense.pem").write_text("nonsense")

    with pytest.raises(ConfigurationError, match="TLS files cannot be used"):
        Tls(tmp_path / cert, None if key is None else tmp_path / key).context()

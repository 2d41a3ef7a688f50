"""A certificate for 127.0.0.1, made anew for each test that wants one."""

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate that vouches for itself, with its key."""

    certificate: Path
    key: Path

    def server_side(self, *, clients_too: bool = False) -> ssl.SSLContext:
        """Serve with it, if wished to those alone who show the same one."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        if clients_too:
            context.load_verify_locations(self.certificate)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is missing; Debian has it in the package openssl")
    made = Certified(tmp_path / "cert.pem", tmp_path / "key.pem")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-subj", "/CN=tests", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"),
            *("-keyout", made.key, "-out", made.certificate),
        ],
        check=True,
        capture_output=True,
    )
    return made

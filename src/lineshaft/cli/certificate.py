"""Client certificates, which keys and tokens can be bound to, as the command line names them."""

import hashlib
from pathlib import Path
from typing import Any

import click


class CertificateFile(click.ParamType[str]):
    """A PEM file with a certificate; its first one is told by its SHA-256 thumbprint, in hexadecimal."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it."""
        import ssl  # Only who names a certificate needs it.

        try:
            text = Path(str(value)).read_text("ascii")
            begin = text.index("-----BEGIN CERTIFICATE-----")
            end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----\n")
            encoded = ssl.PEM_cert_to_DER_cert(text[begin:end].rstrip() + "\n")
        except OSError as error:
            self.fail(f"'{value}' cannot be read: {error.strerror}.", param, ctx)
        except ValueError:
            self.fail(f"'{value}' is no PEM file with a certificate.", param, ctx)
        return hashlib.sha256(encoded).hexdigest()


certificate_option = click.option(
    "--certificate",
    metavar="FILE",
    type=CertificateFile(),
    help="A PEM file: it is good only together with this client certificate. [default: without one]",
)
"""Binds what is made to a client certificate."""

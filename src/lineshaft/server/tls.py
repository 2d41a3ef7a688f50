"""TLS: the server's certificate, and those that its clients show."""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.model.errors import ConfigurationError

_LOG: Final = logging.getLogger("lineshaft.tls")


@dataclass(frozen=True, slots=True)
class Tls:
    """How a server proves who it is, and what it asks of its clients.

    Attributes:
        certificate: the PEM file with the server's certificate and those between it and its authority.
        key: the PEM file with its key; None where that is in the same file.
        client_ca: the PEM file with the authorities of clients' certificates; None asks for no certificate.
        client_required: whether a client must show one.
    """

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None
    client_required: bool = False

    def context(self) -> ssl.SSLContext:
        """Make the context of a server, which reads certificate and key again when their files change.

        Raises:
            ConfigurationError: a file cannot be read, or its content makes no sense.
        """
        try:
            fresh = _Fresh(self)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"The TLS files cannot be used: {_words(error)}.",
                advice="Name PEM files with --tls-cert, --tls-key and --tls-client-ca that this user may "
                "read; certificate and key must belong together, and the key have no passphrase.",
            ) from error
        return fresh.context

    def load(self) -> ssl.SSLContext:
        """Read the files as they are now.

        Raises:
            OSError: one cannot be read.
            ssl.SSLError: its content makes no sense.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        # A key with a passphrase would have the server wait at a prompt that nobody sees.
        context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        if self.client_ca is not None:
            context.load_verify_locations(self.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED if self.client_required else ssl.CERT_OPTIONAL
        return context

    def changed(self) -> tuple[int, ...]:
        """Tell when the files were changed, in nanoseconds.

        Raises:
            OSError: one is not there.
        """
        files = (self.certificate, self.key, self.client_ca)
        return tuple(file.stat().st_mtime_ns for file in files if file is not None)


class _Fresh:
    """A context whose handshakes are made with the files as they are at the moment.

    A renewed certificate is served without a restart; one that makes no sense leaves the former in use.
    """

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._changed = tls.changed()
        self._current = tls.load()
        self.context = tls.load()
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        try:
            changed = self._tls.changed()
            if changed != self._changed:
                self._changed = changed
                self._current = self._tls.load()
                _LOG.info("The TLS files were read again.")
        except (OSError, ssl.SSLError) as error:
            _LOG.warning("The TLS files have changed to what cannot be used: %s", _words(error))
        connection.context = self._current


def _words(error: OSError | ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)

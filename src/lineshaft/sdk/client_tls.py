"""How a client sees whether a server is the right one, and shows a certificate of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lineshaft.model.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class ClientTls:
    """The files that a client's TLS connections are made with.

    Attributes:
        ca_file: the PEM file with the authorities that servers are to be certified by; None means those that
            the system trusts.
        certificate: the PEM file with the client's certificate; None shows none.
        key: the PEM file with its key; None where that is in the same file.
    """

    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def verification(self, url: str) -> "ssl.SSLContext | bool":
        """Tell an HTTP client how connections to a server are made; False where they are made without TLS.

        Reading the trusted certificates takes 0.1 s, which plain HTTP need not spend.

        Raises:
            ConfigurationError: a file cannot be read, or its content makes no sense.
        """
        if not url.startswith("https:"):
            return False
        if self.ca_file is None and self.certificate is None:
            return True
        try:
            return self._context()
        except OSError as error:  # TLS' own errors are among them.
            raise ConfigurationError(
                f"The TLS files of the client cannot be used: {error.strerror or error}.",
                advice="Name PEM files with LINESHAFT_CA_FILE, LINESHAFT_CLIENT_CERT and "
                "LINESHAFT_CLIENT_KEY; certificate and key must belong together.",
            ) from error

    def _context(self) -> "ssl.SSLContext":
        import ssl  # The command line reads this module at every start.

        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


SYSTEM_TLS: Final = ClientTls()
"""The authorities that the system trusts, and no certificate of one's own."""

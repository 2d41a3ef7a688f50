"""How a client sees whether a server is the right one, and shows a certificate of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lineshaft.model.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl


_OF_CERTIFICATE: Final = (
    "LINESHAFT_CLIENT_CERT and LINESHAFT_CLIENT_KEY name PEM files, which must belong together."
)


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
        import ssl  # The command line reads this module at every start.

        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # TLS' own errors are among them.
            raise _unusable([self.ca_file], error, "LINESHAFT_CA_FILE names a PEM file.") from error
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.key)
            except OSError as error:
                raise _unusable([self.certificate, self.key], error, _OF_CERTIFICATE) from error
        return context


def _unusable(files: Sequence[Path | None], error: OSError, advice: str) -> ConfigurationError:
    """Name the files that TLS could not be begun with: those that cannot be read, where it is that."""
    given = [file for file in files if file is not None]
    missing = [file for file in given if not file.is_file()]
    names = " with ".join(str(file) for file in missing or given)
    return ConfigurationError(f"{names} cannot be used for TLS: {error.strerror or error}.", advice=advice)


SYSTEM_TLS: Final = ClientTls()
"""The authorities that the system trusts, and no certificate of one's own."""

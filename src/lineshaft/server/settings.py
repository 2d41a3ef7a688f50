"""The settings of a server: docs/settings.md explains each."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import NoDecode

from lineshaft.executors.settings import Folder
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.limits import Limits
from lineshaft.sdk.config import DEFAULT_CREDENTIAL, is_loopback
from lineshaft.server.event_settings import EventSettings
from lineshaft.server.exchange import Requests
from lineshaft.server.file_settings import FileSettings
from lineshaft.server.mail_settings import MailSettings
from lineshaft.server.named_values import named_values
from lineshaft.server.sign_in_settings import SignInSettings
from lineshaft.server.tls import Tls
from lineshaft.server.vault_settings import VaultSettings
from lineshaft.services.notifying.terms import MailTerms
from lineshaft.services.retention import Kept
from lineshaft.services.secrets.identity import IdentityTerms
from lineshaft.wire.worker import Label

_SQLITE: Final = "sqlite:"
_SQLITE_FILE: Final = "sqlite:///"
_BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""How the names of the files end that SQLite keeps a database in."""
_POSTGRESQL: Final = "postgresql:"
_LONGEST_URL: Final = 2048
_LONGEST_KEPT_DAYS: Final = 36_500


def _database_in(validated: dict[str, Any]) -> str:
    return f"sqlite:///{validated['data'] / 'lineshaft.db'}"


def _known_database(url: str) -> str:
    if not url.startswith((_SQLITE, _POSTGRESQL)):
        raise ValueError("the database must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME")
    return url


def _bucket(url: str) -> str:
    if len(url) > _LONGEST_URL or re.fullmatch(r"s3://[^/\s]+(/\S*)?", url) is None:
        raise ValueError("a place for blobs must be written as s3://BUCKET/PREFIX")
    return url


def _numbers(said: Any) -> Any:
    return named_values(said, "the limits must be written as NAME=NUMBER,NAME=NUMBER")


def _place(said: Any) -> Any:
    """Read a URL, or else a path."""
    if not isinstance(said, str) or re.match(r"https?://", said, re.IGNORECASE) is None:
        return Path(said) if isinstance(said, str) and said else said
    if len(said) > _LONGEST_URL or re.fullmatch(r"https?://[^\s/?#]\S*", said, re.IGNORECASE) is None:
        raise ValueError("the pipelines must be a file, or a URL such as https://HOST/pipelines.json")
    return said


def _listed(text: Any) -> Any:
    return [each.strip() for each in text.split(",") if each.strip()] if isinstance(text, str) else text


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} is no address or network such as 10.0.0.1 or 10.0.0.0/8") from None


_Network = Annotated[str, AfterValidator(_network)]
_Number = Annotated[int, Field(ge=1, le=1_000_000)]
_PipelineName = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class ServerSettings(SignInSettings, MailSettings, VaultSettings, FileSettings, EventSettings):
    """All that a server, and the worker inside it, can be told.

    Attributes:
        host: the name or address to listen on.
        port: the TCP port to listen on; 0 takes a free one.
        database_url: where the state is, `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`.
        blobs_url: where finished logs are, `s3://BUCKET/PREFIX`; None means a folder in the data folder.
        username: who may call the API.
        password: proves it.
        workers: how many server processes share the port.
        lease_seconds: how long a worker may be silent before its attempts count as lost.
        run_time_limit: how many seconds any run may take.
        worker_keys_file: the file with the keys that let workers in; None means that there is none.
        secrets_key_file: the file with the keys that seal secrets; None means one in the data folder.
        secrets_key: such keys themselves, a line each, where no file is named; None means none.
        id_token_seconds: how long the identity tokens of tasks are good.
        pipeline_limits: how many tasks of a pipeline run at once, by its name; `*` stands for any other one.
        label_limits: how many tasks that ask for a label run at once, by the label.
        keep_runs_days: how many days runs are kept after their end; None means for ever.
        keep_runs: how many ended runs of each pipeline are kept; None means all.
        keep_logs_days: how many days logs are kept after the end of their run; None means for ever.
        keep_deliveries_days: how many days what came in by webhooks and polls is shown.
        pipelines: the file of pipelines that the server keeps, or its URL; None means none.
        tls_cert: the PEM file with the server's certificate; None serves without TLS.
        tls_key: the PEM file with its key; None where that is in the same file.
        tls_client_ca: the PEM file with the authorities of clients' certificates; None asks for none.
        tls_client_required: whether a client must show a certificate.
        trusted_proxies: the addresses of proxies that say truly who calls through them.
        request_log: which requests have a line in the log.
    """

    table: ClassVar[str] = "server"

    host: Annotated[str, StringConstraints(min_length=1, max_length=253)] = "127.0.0.1"
    port: int = Field(default=5001, ge=0, le=65_535)
    database_url: Annotated[str, AfterValidator(_known_database)] = Field(
        default_factory=_database_in, repr=False
    )
    blobs_url: Annotated[str, AfterValidator(_bucket)] | None = None
    username: Annotated[str, StringConstraints(min_length=1, max_length=255)] = DEFAULT_CREDENTIAL
    password: SecretStr = Field(default=SecretStr(DEFAULT_CREDENTIAL), min_length=1)
    workers: int = Field(default=1, ge=1, le=256)
    lease_seconds: float = Field(default=30, ge=1, le=3600)
    run_time_limit: float = Field(default=86_400, ge=1, le=31_536_000)
    worker_keys_file: Folder | None = None
    secrets_key_file: Folder | None = None
    secrets_key: SecretStr | None = None
    id_token_seconds: int = Field(default=900, ge=60, le=86_400)
    pipeline_limits: Annotated[dict[_PipelineName, _Number], NoDecode, BeforeValidator(_numbers)] = Field(
        default_factory=dict
    )
    label_limits: Annotated[dict[Label, _Number], NoDecode, BeforeValidator(_numbers)] = Field(
        default_factory=dict
    )
    keep_runs_days: float | None = Field(default=None, gt=0, le=_LONGEST_KEPT_DAYS)
    keep_runs: int | None = Field(default=None, ge=1, le=1_000_000)
    keep_logs_days: float | None = Field(default=None, gt=0, le=_LONGEST_KEPT_DAYS)
    keep_deliveries_days: float = Field(default=30, gt=0, le=_LONGEST_KEPT_DAYS)

    pipelines: Annotated[Folder | str | None, BeforeValidator(_place)] = Field(default=None, repr=False)
    tls_cert: Folder | None = None
    tls_key: Folder | None = None
    tls_client_ca: Folder | None = None
    tls_client_required: bool = False
    trusted_proxies: Annotated[tuple[_Network, ...], NoDecode, BeforeValidator(_listed)] = ()
    request_log: Requests = Requests.CHANGES

    @property
    def tls(self) -> Tls | None:
        """How the server proves who it is; None where it serves without TLS."""
        if self.tls_cert is None:
            return None
        return Tls(self.tls_cert, self.tls_key, self.tls_client_ca, self.tls_client_required)

    @property
    def kept(self) -> Kept:
        """What is kept of old runs, and for how long."""
        return Kept(
            runs_for=None if self.keep_runs_days is None else timedelta(days=self.keep_runs_days),
            runs_per_pipeline=self.keep_runs,
            logs_for=None if self.keep_logs_days is None else timedelta(days=self.keep_logs_days),
            deliveries_for=timedelta(days=self.keep_deliveries_days),
        )

    @property
    def identity_terms(self) -> IdentityTerms:
        """How identity tokens are made; none are where no public address is set."""
        issuer = None if self.public_url is None else f"{self.public_url}".rstrip("/")
        return IdentityTerms(issuer, timedelta(seconds=self.id_token_seconds))

    @property
    def mail_terms(self) -> MailTerms:
        """What mails may say, and to whom."""
        return MailTerms(self.public_url, frozenset(self.mail_author_domains))

    @property
    def limits(self) -> Limits:
        """How many tasks may run at once, whatever the workers have room for."""
        return Limits(self.pipeline_limits, self.label_limits)

    @property
    def uses_sqlite(self) -> bool:
        """Whether the state is in a SQLite file."""
        return self.database_url.startswith(_SQLITE)

    def private_paths(self) -> tuple[Path, ...]:
        """Name what `MachineSettings` does, and the database's files."""
        if not self.database_url.startswith(_SQLITE_FILE):
            return super().private_paths()
        file = self.database_url.removeprefix(_SQLITE_FILE)
        return (*super().private_paths(), *(Path(f"{file}{end}") for end in _BESIDE))

    @property
    def has_default_credentials(self) -> bool:
        """Whether everybody knows who may call the API, and the password."""
        return self.username == DEFAULT_CREDENTIAL == self.password.get_secret_value()

    @model_validator(mode="after")
    def _refuse_default_credentials_elsewhere(self) -> Self:
        if self.has_default_credentials and not is_loopback(self.host):
            raise ConfigurationError(
                f"On {self.host} the default credentials would let anyone in who can reach this machine.",
                advice="Set LINESHAFT_PASSWORD (and LINESHAFT_USERNAME), or listen on 127.0.0.1 only.",
            )
        return self

    @model_validator(mode="after")
    def _refuse_tls_without_certificate(self) -> Self:
        alone = {"tls_key": self.tls_key, "tls_client_ca": self.tls_client_ca}
        named = [name for name, value in alone.items() if value is not None]
        if self.tls_cert is None and (named or self.tls_client_required):
            raise ConfigurationError(
                f"`{[*named, 'tls_client_required'][0]}` does nothing without the server's own certificate.",
                advice="Set --tls-cert or LINESHAFT_TLS_CERT as well.",
            )
        if self.tls_client_required and self.tls_client_ca is None:
            raise ConfigurationError(
                "No client could show a certificate that is good: no authority is known.",
                advice="Set --tls-client-ca or LINESHAFT_TLS_CLIENT_CA as well.",
            )
        return self

    @model_validator(mode="after")
    def _refuse_sqlite_for_several_processes(self) -> Self:
        if self.uses_sqlite and self.workers > 1:
            raise ConfigurationError(
                f"SQLite serves one server process, not {self.workers}.",
                advice="Set LINESHAFT_DATABASE_URL to a PostgreSQL database, or --workers to 1.",
            )
        return self

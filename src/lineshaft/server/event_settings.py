"""The settings of NATS: docs/settings.md explains each."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from lineshaft.executors.settings import Folder, MachineSettings
from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.nats.access import NatsAccess, read_addresses

_LONGEST: Final = 1_000


def _addresses(text: str) -> str:
    return ",".join(read_addresses(text))


class EventSettings(MachineSettings):
    """What a server can be told of NATS.

    Attributes:
        events: the addresses of NATS, separated by commas; None publishes nothing.
        events_user: who signs in there; None signs nobody in.
        events_password: proves it.
        events_credentials: the file with a JWT and an NKey to sign in by, instead.
        events_ca_file: the file with the certificates that prove NATS; None means the public authorities.
    """

    events: Annotated[str, AfterValidator(_addresses)] | None = None
    events_user: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST)] | None = None
    events_password: SecretStr | None = Field(default=None, min_length=1, max_length=_LONGEST)
    events_credentials: Folder | None = None
    events_ca_file: Folder | None = None

    @property
    def nats_access(self) -> NatsAccess | None:
        """How to get at NATS; None where nothing is published."""
        if self.events is None:
            return None
        return NatsAccess.of(
            self.events,
            user=self.events_user,
            password=None if self.events_password is None else self.events_password.get_secret_value(),
            credentials=self.events_credentials,
            ca_file=self.events_ca_file,
        )

    @model_validator(mode="after")
    def _refuse_half_a_way_to_nats(self) -> Self:
        said = {
            "LINESHAFT_EVENTS_USER": self.events_user,
            "LINESHAFT_EVENTS_PASSWORD": self.events_password,
            "LINESHAFT_EVENTS_CREDENTIALS": self.events_credentials,
            "LINESHAFT_EVENTS_CA_FILE": self.events_ca_file,
        }
        useless = [name for name, value in said.items() if value is not None]
        if self.events is None and useless:
            raise ConfigurationError(
                f"{useless[0]} does nothing without NATS.", advice="Set --events or LINESHAFT_EVENTS."
            )
        _ = self.nats_access  # What is wrong with the rest is said before anything is begun.
        return self

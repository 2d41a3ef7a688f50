"""How programs take their settings: flags, else environment, else configuration file, else defaults."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from pydantic import AliasChoices, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.config import read_table

_PREFIX: Final = "LINESHAFT_"
_FOLLOWS_FROM_ANOTHER: Final = "default_factory_not_called"


class Settings(BaseSettings):
    """The settings of one program, frozen. Make them with `load`, which also explains what is wrong.

    Attributes:
        table: the name of the program's table in the configuration file.
        config: the configuration file; see `sdk.config`.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
    )

    table: ClassVar[str]

    config: Path | None = None

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """Put the settings together.

        Args:
            flags: what was given on the command line, by setting; None counts as not given.

        Raises:
            ConfigurationError: a value makes no sense, or the configuration file cannot be used.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            complaints = [
                cls._complaint(each, given)
                for each in error.errors(include_url=False, include_input=False)
                if each["type"] != _FOLLOWS_FROM_ANOTHER
            ]
            raise ConfigurationError(" ".join(complaints)) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class passes it by this name.
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above.
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: flags, environment, file."""
        flags = init_settings.init_kwargs if isinstance(init_settings, InitSettingsSource) else {}
        named = flags.get("config")
        table = read_table(cls.table, cls.names(), None if named is None else Path(named))
        return init_settings, env_settings, InitSettingsSource(settings_cls, dict(table.values))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """List the settings that may stand in the configuration file."""
        return tuple(name for name in cls.model_fields if name != "config")

    @classmethod
    def variables(cls, name: str) -> tuple[str, ...]:
        """List the environment's variables that set a setting, the strongest first."""
        alias = cls.model_fields[name].validation_alias
        if isinstance(alias, AliasChoices):
            return tuple(str(choice) for choice in alias.choices)
        return (f"{_PREFIX}{name.upper()}",)

    @classmethod
    def _complaint(cls, error: ErrorDetails, flags: Mapping[str, Any]) -> str:
        # Values are not repeated: one may be a password that landed in the wrong place.
        place = str(error["loc"][0])
        name = next((each for each in cls.names() if place in {each, *cls.variables(each)}), place)
        variable = next((each for each in cls.variables(name) if os.environ.get(each)), None)
        if name in flags:
            origin = f"--{name.replace('_', '-')}"
        else:
            origin = variable or f"`{name}` in the [{cls.table}] table of the configuration file"
        message = error["msg"].removeprefix("Value error, ")
        return f"{origin}: {message[:1].lower()}{message[1:]}."

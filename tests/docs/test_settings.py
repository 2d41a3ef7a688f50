import re
from pathlib import Path

import click
import pytest

from lineshaft.cli.app import root
from lineshaft.executors.settings import MachineSettings
from lineshaft.sdk.client_tls import ClientTls
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.settings import Settings
from lineshaft.server.settings import ServerSettings
from lineshaft.worker.settings import WorkerSettings

TEXT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")
ROW = re.compile(r"^\| `([a-z_]+)` \| `(--[a-z-]+)` \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def rows(heading: str) -> dict[str, tuple[str, str, str]]:
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {key: (flag, variables, default) for key, flag, variables, default, _ in ROW.findall(section)}


SERVER, MACHINE, WORKER, CLIENT = (rows(name) for name in ("Server", "This machine", "Worker", "Client"))


@pytest.mark.parametrize(
    ("settings", "documented"),
    [(MachineSettings, MACHINE), (ServerSettings, SERVER | MACHINE), (WorkerSettings, WORKER | MACHINE)],
)
def test_every_setting_is_documented_and_no_other(
    settings: type[Settings], documented: dict[str, object]
) -> None:
    assert set(settings.names()) == documented.keys()


@pytest.mark.parametrize(
    ("settings", "documented"), [(ServerSettings, SERVER | MACHINE), (WorkerSettings, WORKER | MACHINE)]
)
def test_flag_variables_and_default_of_a_setting_are_as_documented(
    settings: type[Settings], documented: dict[str, tuple[str, str, str]]
) -> None:
    for name, (flag, variables, default) in documented.items():
        assert flag == f"--{name.replace('_', '-')}"
        assert variables == ", ".join(f"`{variable}`" for variable in settings.variables(name))
        field = settings.model_fields[name]
        if field.default_factory is None and field.default not in {None, ()}:
            value = getattr(field.default, "get_secret_value", lambda value=field.default: value)()
            assert default == f"`{value}`"


@pytest.mark.parametrize(
    ("command", "settings"), [("up", ServerSettings), ("server", ServerSettings), ("worker", WorkerSettings)]
)
def test_every_setting_has_a_flag_whose_help_names_its_variables(
    command: str, settings: type[Settings]
) -> None:
    options = {
        option.name: option for option in root.commands[command].params if isinstance(option, click.Option)
    }
    for name in settings.names():
        variables = ", ".join(settings.variables(name))
        assert f"[env: {variables}; default: " in (options[name].help or "")


def test_what_a_client_can_be_told_is_documented() -> None:
    without_flag = set(ClientConfig.__dataclass_fields__) - CLIENT.keys()
    assert without_flag == {"tls"}
    assert CLIENT.keys() < set(ClientConfig.__dataclass_fields__)
    assert set(ClientTls.__dataclass_fields__) == {"ca_file", "certificate", "key"}
    for name in ("ca_file", "client_cert", "client_key"):
        assert f"| `{name}` | `LINESHAFT_{name.upper()}` |" in TEXT
    for name, (_, variables, _) in CLIENT.items():
        assert variables == f"`LINESHAFT_{name.upper()}`"


def test_the_example_of_a_configuration_file_is_accepted(tmp_path: Path) -> None:
    example = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)[0]
    path = tmp_path / "config.toml"
    path.write_text(example)
    assert ServerSettings.load(config=path, port=None).git_roots == (Path("/srv/git"),)
    assert WorkerSettings.load(config=path).slots == 8
    assert ClientConfig.load(config=path, environment={}).username == "ada"

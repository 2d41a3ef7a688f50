import os
import pickle
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.executors.settings import LogLevel
from lineshaft.model.errors import ConfigurationError
from lineshaft.server.settings import ServerSettings
from lineshaft.services.retention import KEEP_ALL, Kept
from lineshaft.worker.settings import WorkerSettings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ServerSettings.names():
        for variable in ServerSettings.variables(name):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv("LINESHAFT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def test_nothing_has_to_be_set(tmp_path: Path) -> None:
    settings = ServerSettings.load()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 5001, 1)
    assert settings.data == tmp_path / "data" / "lineshaft"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/lineshaft/lineshaft.db"
    assert settings.slots == max(2, len(os.sched_getaffinity(0)))
    assert (settings.git_roots, settings.docker_host, settings.kubeconfig) == ((), None, None)
    assert (settings.grace_seconds, settings.lease_seconds, settings.log_level) == (10, 30, LogLevel.INFO)
    assert (settings.username, settings.password.get_secret_value()) == ("admin", "admin")


def test_data_is_kept_below_the_home_folder_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME")
    assert ServerSettings.load().data == Path.home() / ".local/share/lineshaft"


def test_all_is_kept_unless_it_is_said_for_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ServerSettings.load().kept == replace(KEEP_ALL, deliveries_for=timedelta(days=30))
    monkeypatch.setenv("LINESHAFT_KEEP_LOGS_DAYS", "0.5")

    settings = ServerSettings.load(keep_runs_days="30", keep_runs="100", keep_deliveries_days="7")
    assert settings.kept == Kept(
        runs_for=timedelta(days=30),
        runs_per_pipeline=100,
        logs_for=timedelta(hours=12),
        deliveries_for=timedelta(days=7),
    )


@pytest.mark.parametrize(
    ("name", "value"), [("keep_runs", "0"), ("keep_runs_days", "0"), ("keep_logs_days", "-1")]
)
def test_nothing_is_kept_for_no_time(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name.replace("_", "-")):
        ServerSettings.load(**{name: value})


def test_flags_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(tmp_path, "[server]\nport = 1\nslots = 1\nworkers = 1\n")
    monkeypatch.setenv("LINESHAFT_PORT", "2")
    monkeypatch.setenv("LINESHAFT_SLOTS", "2")
    settings = ServerSettings.load(config=config, port="3")
    assert (settings.port, settings.slots, settings.workers) == (3, 2, 1)


def test_flags_that_were_not_given_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESHAFT_PORT", "2")
    assert ServerSettings.load(port=None).port == 2


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESHAFT_PORT", "")
    assert ServerSettings.load().port == 5001


def test_the_file_can_be_named_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESHAFT_CONFIG", str(write(tmp_path, '[server]\nhost = "::1"\n')))
    assert ServerSettings.load().host == "::1"


def test_a_relative_database_folder_moves_the_database_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert ServerSettings.load(data="state").database_url == "sqlite:////state/lineshaft.db"


def test_roots_are_separated_as_in_path_or_listed_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINESHAFT_GIT_ROOTS", "/srv/a:~/b:")
    assert ServerSettings.load().git_roots == (Path("/srv/a"), Path.home() / "b")
    monkeypatch.delenv("LINESHAFT_GIT_ROOTS")
    config = write(tmp_path, '[server]\ngit_roots = ["/srv/a", "/srv/b"]\n')
    assert ServerSettings.load(config=config).git_roots == (Path("/srv/a"), Path("/srv/b"))


def test_dockers_own_variable_counts_behind_lineshafts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://docker:2375")
    assert ServerSettings.load().docker_host == "tcp://docker:2375"
    monkeypatch.setenv("LINESHAFT_DOCKER_HOST", "unix:///run/other.sock")
    assert ServerSettings.load().docker_host == "unix:///run/other.sock"
    assert ServerSettings.load(docker_host="tcp://flag:1").docker_host == "tcp://flag:1"


def test_kubernetes_own_variable_counts_behind_lineshafts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/etc/kube")
    assert ServerSettings.load().kubeconfig == Path("/etc/kube")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_out_of_range_is_refused_naming_the_flag(port: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^--port: input should be"):
        ServerSettings.load(port=port)


def test_a_value_that_makes_no_sense_is_refused_naming_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESHAFT_GRACE_SECONDS", "soon")
    with pytest.raises(ConfigurationError, match=r"^LINESHAFT_GRACE_SECONDS: input should be a valid number"):
        ServerSettings.load()


def test_a_value_that_makes_no_sense_is_refused_naming_the_table(tmp_path: Path) -> None:
    config = write(tmp_path, '[server]\nlog_level = "loud"\n')
    with pytest.raises(ConfigurationError, match=r"^`log_level` in the \[server\] table"):
        ServerSettings.load(config=config)


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("label_limits", "a b=1", "must be one word of at most 100 letters, digits"),
        ("blobs_url", "https://bucket", "a place for blobs must be written as s3://BUCKET/PREFIX"),
        ("otlp_logs_endpoint", "localhost", "the URL must be that of an HTTP service"),
    ],
)
def test_what_a_text_must_look_like_is_told_in_words(flag: str, value: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^--{flag.replace('_', '-')}: {words}"):
        ServerSettings.load(**{flag: value})


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ServerSettings.load(port="x", slots="0", data="/nonexistent")
    assert caught.value.message.count("input should be") == 2


def test_an_unknown_key_is_refused_and_the_nearest_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"\[server\] has no key `prot`") as caught:
        ServerSettings.load(config=write(tmp_path, "[server]\nprot = 1\n"))
    assert caught.value.advice == "Did you mean `port`?"


def test_the_file_cannot_name_another_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has no key `config`"):
        ServerSettings.load(config=write(tmp_path, '[server]\nconfig = "/etc/other.toml"\n'))


def test_a_servers_table_says_nothing_to_a_worker(tmp_path: Path) -> None:
    config = write(tmp_path, '[server]\nslots = 3\n[worker]\nslots = 4\nname = "w"\n')
    assert ServerSettings.load(config=config).slots == 3
    assert WorkerSettings.load(config=config).slots == 4


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "localhost", "::1"])
def test_default_credentials_serve_on_loopback(host: str) -> None:
    assert ServerSettings.load(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.9", "ci.example.org"])  # noqa: S104 - refused here.
def test_default_credentials_serve_nowhere_else(host: str) -> None:
    with pytest.raises(ConfigurationError, match="default credentials") as caught:
        ServerSettings.load(host=host)
    assert "LINESHAFT_PASSWORD" in caught.value.advice
    assert ServerSettings.load(host=host, password="sesame").host == host


def test_sqlite_serves_one_process() -> None:
    with pytest.raises(ConfigurationError, match="SQLite serves one server process, not 2") as caught:
        ServerSettings.load(workers="2")
    assert "PostgreSQL" in caught.value.advice
    url = "postgresql://lineshaft@db/lineshaft"
    assert ServerSettings.load(workers="2", database_url=url).workers == 2


@pytest.mark.parametrize("url", ["mysql://db", "lineshaft.db", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be sqlite:///PATH or postgresql://"):
        ServerSettings.load(database_url=url)


def test_secrets_do_not_show_when_settings_are_printed_or_refused() -> None:
    settings = ServerSettings.load(password="sesame", database_url="postgresql://u:sesame@db/n")
    assert "sesame" not in repr(settings)
    with pytest.raises(ConfigurationError) as caught:
        ServerSettings.load(port="sesame", database_url="sesame://", password="")
    assert "sesame" not in f"{caught.value}"


def test_settings_are_frozen_and_reach_other_processes_whole() -> None:
    settings = ServerSettings.load(port=7, password="sesame")
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 8
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - made here.


def test_a_worker_is_named_after_its_host() -> None:
    assert WorkerSettings.load().name == os.uname().nodename


def test_a_workers_name_has_a_form() -> None:
    with pytest.raises(ConfigurationError, match=r"^--name: "):
        WorkerSettings.load(name="two words")


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("shop=4,*=20", {"shop": 4, "*": 20}),
        (" shop = 4 , ", {"shop": 4}),
        ("a=b=4", {"a=b": 4}),
        ('{"a, b": 4, "*": 20}', {"a, b": 4, "*": 20}),
    ],
)
def test_limits_are_read_by_name(monkeypatch: pytest.MonkeyPatch, text: str, limits: dict[str, int]) -> None:
    monkeypatch.setenv("LINESHAFT_PIPELINE_LIMITS", text)
    assert ServerSettings.load().limits.pipelines == limits


def test_limits_stand_in_the_file_as_a_table(tmp_path: Path) -> None:
    config = write(tmp_path, '[server]\npipeline_limits = {"*" = 20}\nlabel_limits = {gpu = 2}\n')
    limits = ServerSettings.load(config=config).limits
    assert (limits.pipelines, limits.labels) == ({"*": 20}, {"gpu": 2})


@pytest.mark.parametrize(
    "text", ["shop", "=4", "shop=", "shop=0", "shop=-1", "shop=x", "shop=4;", "{", "[]", "{}x"]
)
def test_limits_that_make_no_sense_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("LINESHAFT_PIPELINE_LIMITS", text)
    with pytest.raises(ConfigurationError, match="LINESHAFT_PIPELINE_LIMITS"):
        ServerSettings.load()


def test_a_limit_is_of_what_can_be_a_label() -> None:
    with pytest.raises(ConfigurationError, match="label-limits"):
        ServerSettings.load(label_limits="a b=2")


def test_the_worker_keys_file_may_be_below_the_home_folder() -> None:
    assert ServerSettings.load(worker_keys_file="~/keys").worker_keys_file == Path.home() / "keys"

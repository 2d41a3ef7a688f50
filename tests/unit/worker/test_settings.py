from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.model.errors import ConfigurationError
from lineshaft.model.work import WorkKind
from lineshaft.server.settings import ServerSettings
from lineshaft.worker.plan import WorkerPlan
from lineshaft.worker.settings import WorkerSettings


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("LABELS", "CPUS", "MEMORY", "MAX_LOAD", "DRIVERS", "CONFIG", "DATA"):
        monkeypatch.delenv(f"LINESHAFT_{name}", raising=False)


def test_labels_are_sorted_and_each_is_said_once() -> None:
    assert WorkerSettings.load(labels="linux, gpu,linux,").labels == ("gpu", "linux")


def test_labels_of_the_file_are_a_list(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[worker]\nlabels = ["b", "a"]\nmemory = "2GB"\ndrivers = ["run"]\ncpus = 1.5\n')
    settings = WorkerSettings.load(config=path)
    assert settings.labels == ("a", "b")
    assert settings.memory == 2_000_000_000
    assert settings.drivers == {WorkKind.RUN}
    assert settings.cpus == 1.5


@pytest.mark.parametrize("labels", ["a b", "-x", "ü", "x" * 101, ",".join(f"l{n}" for n in range(101))])
def test_labels_of_the_wrong_shape_are_refused(labels: str) -> None:
    with pytest.raises(ConfigurationError, match="--labels: labels are"):
        WorkerSettings.load(labels=labels)


@pytest.mark.parametrize("name", ["my worker", "", "-x", "x\n", "x" * 256])
def test_a_name_that_is_no_word_is_refused_in_words(name: str) -> None:
    with pytest.raises(ConfigurationError, match="--name: must be one word of at most 255 letters, digits"):
        WorkerSettings.load(name=name)


@pytest.mark.parametrize(
    ("said", "size"), [("8GiB", 8 << 30), ("512MiB", 512 << 20), ("34359738368", 32 << 30), (None, None)]
)
def test_memory_is_a_size_or_a_number_of_bytes(said: str | None, size: int | None) -> None:
    assert WorkerSettings.load(memory=said).memory == size


@pytest.mark.parametrize("said", ["8XB", "0", "-1", "1e3", "9" * 16, "0GiB"])
def test_what_is_no_size_is_refused(said: str) -> None:
    with pytest.raises(ConfigurationError, match="--memory: a size is written as 8GiB"):
        WorkerSettings.load(memory=said)


@pytest.mark.parametrize("said", ["pipeline", "run,dance", "", "run,"])
def test_drivers_that_do_not_exist_are_refused(said: str) -> None:
    with pytest.raises(ConfigurationError, match="the drivers are `run`, `build` and `deploy`"):
        WorkerSettings.load(drivers=said)


@pytest.mark.parametrize(
    "flags",
    [{"cpus": "0"}, {"cpus": "nan"}, {"cpus": "inf"}, {"max_load": "0"}, {"max_load": "1.1"}],
)
def test_numbers_out_of_their_range_are_refused(flags: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        WorkerSettings.load(**flags)


def test_the_worker_inside_takes_what_a_fleets_workers_take() -> None:
    settings = ServerSettings.load(labels="linux", cpus="2", memory="1GiB", max_load="0.5")
    hello = WorkerPlan.of("inside", settings).hello()
    assert hello.labels == {"linux", "executor:process"}
    assert (hello.cpus, hello.memory_bytes) == (2, 1 << 30)


def test_what_the_settings_do_not_say_the_machine_does() -> None:
    hello = WorkerPlan.of("w", WorkerSettings.load()).hello()
    assert hello.cpus
    assert hello.memory_bytes
    assert hello.version


def test_failed_workspaces_are_kept_only_where_somebody_says_for_how_long() -> None:
    assert WorkerSettings.load().keep_failed is None
    assert WorkerSettings.load(keep_failed="0s").keep_failed is None
    settings = WorkerSettings.load(keep_failed="36h")
    assert WorkerPlan.of("one", settings).keeping.time == timedelta(hours=36)


@pytest.mark.parametrize("said", ["24", "1.5h", "-1h", "366d", "for ever", ""])
def test_a_time_to_keep_them_has_its_unit_and_an_end(said: str) -> None:
    with pytest.raises(ConfigurationError, match="365d"):
        WorkerSettings.load(keep_failed=said)

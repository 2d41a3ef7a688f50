import pytest

from lineshaft.sdk.agent.load import LoadGate, host_load


class Host:
    """A host as busy as the test says, and its clock."""

    def __init__(self) -> None:
        self.load = 0.0
        self.seconds = 0.0
        self.looks = 0

    def source(self) -> float:
        self.looks += 1
        return self.load

    def clock(self) -> float:
        return self.seconds

    def gate(self, limit: float | None = 0.95) -> LoadGate:
        return LoadGate(limit, self.source, self.clock)


def test_a_gate_is_open_up_to_its_limit_and_closed_above() -> None:
    host = Host()
    gate = host.gate()
    for load, is_open in [(0.95, True), (0.96, False), (0.2, True)]:
        host.load = load
        host.seconds += 1
        assert gate.is_open() is is_open


def test_a_gate_without_a_limit_is_open_however_busy_the_host_is() -> None:
    host = Host()
    gate = host.gate(None)
    host.load = 1.0
    host.seconds += 1
    assert gate.is_open()
    assert gate.load() == 1.0


def test_what_was_seen_within_a_second_is_not_looked_at_again() -> None:
    host = Host()
    gate = host.gate()
    host.seconds = 1
    first = host.looks
    for _ in range(10):
        gate.is_open()
        gate.load()
        host.seconds += 0.05
    assert host.looks == first + 1


def test_the_start_of_the_worker_itself_does_not_count() -> None:
    host = Host()
    host.load = 1.0
    assert host.gate().is_open()


@pytest.mark.parametrize(("said", "load"), [(-0.1, 0.0), (1.2, 1.0)])
def test_a_load_is_never_outside_of_what_a_server_takes(said: float, load: float) -> None:
    host = Host()
    gate = host.gate()
    host.load = said
    host.seconds += 1
    assert gate.load() == load


def test_that_a_gate_has_closed_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    host = Host()
    gate = host.gate()
    host.load = 1.0
    with caplog.at_level("INFO", "lineshaft.worker"):
        for _ in range(5):
            host.seconds += 1
            gate.is_open()
    assert len(caplog.records) == 1
    assert "100 %" in caplog.text


def test_a_host_tells_its_load() -> None:
    assert 0 <= host_load() <= 1

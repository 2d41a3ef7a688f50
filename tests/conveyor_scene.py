"""The conveyor of examples/conveyor: a server, its three drivers in programs of their own, and a resource."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from http_pipelines import Document, events, wait_for
from station import Plan, Station, station
from task_signals import Signals

EXAMPLE = Path(__file__).parents[1] / "examples" / "conveyor"
DRIVERS = ("compiler", "tester", "uploader")
GOOD = {"source": "print('hello')", "prints": "hello"}
BAD = {"source": "print('bye')", "prints": "hello"}

_KEPT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Transport:
    """How events and tasks reach the drivers.

    Attributes:
        server: settings of the server besides, by variable.
        driver: settings of the drivers besides.
    """

    server: Mapping[str, str]
    driver: Mapping[str, str]


HTTP = Transport({}, {})


class Conveyor:
    """A server that knows the type `app` and the conveyor, and drivers that are started one by one.

    Attributes:
        station: the server, and the network that leads to it.
        folder: where the drivers keep what they make, and count how often they were called.
        signals: by which an application and the test tell each other when to go on.
    """

    def __init__(self, opened: Station, signals: Signals, transport: Transport) -> None:
        self.station = opened
        self.folder = opened.plan.folder / "conveyor"
        self.signals = signals
        self._transport = transport
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self.folder.mkdir()
        schema = json.loads((EXAMPLE / "app.schema.json").read_text())
        self._call("PUT", "/v1/resource-definitions/app", {"schema": schema})
        self._key = self._call("POST", "/v1/worker-keys", {"name": "drivers"})["key"]
        self.create((EXAMPLE / "lineshaft.yml").read_text())

    @property
    def slow(self) -> dict[str, str]:
        """An application that tells when it runs, and waits until it may end."""
        told, gate = self.signals.folder / "told", self.signals.folder / "gate"
        source = (
            f"import os\nos.write(os.open({str(told)!r}, os.O_WRONLY), b'tested\\n')\n"
            f"os.read(os.open({str(gate)!r}, os.O_RDONLY), 1)\nprint('hello')\n"
        )
        return {"source": source, "prints": "hello"}

    def create(self, text: str) -> None:
        """Create a pipeline."""
        headers = {"Content-Type": "application/yaml"}
        answer = self.station.api.post("/v1/pipelines", content=text, headers=headers)
        assert answer.status_code == 201, answer.text

    def put(self, spec: Mapping[str, Any], *, pipeline: str | None = "conveyor") -> str:
        """Make the resource `shop`, or replace it, and return the id of the run that carries it."""
        answer = self._call("PUT", "/v1/resources/app/shop", {"spec": spec, "pipeline": pipeline})
        return str(answer["started_run_id"])

    def delete(self) -> str:
        """Delete the resource, and return the id of the run that carries it."""
        return str(self._call("DELETE", "/v1/resources/app/shop")["started_run_id"])

    def standing(self) -> Document:
        """Tell how the resource stands."""
        return self._call("GET", "/v1/resources/app/shop")

    def see(self, run: str, **states: str) -> None:
        """Wait until nodes of a run are in states."""
        wait_for(self.station.api, {"id": run}, **states)

    def finish(self, run: str) -> Document:
        """Wait for the end of a run, and return it."""
        told = list(events(self.station.api, f"/v1/runs/{run}/events"))
        assert told[-1].event == "end", told
        return dict(self.station.api.get(f"/v1/runs/{run}").json())

    def calls(self) -> list[str]:
        """List which driver was called for what, and as which attempt, in order."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def start(self, *programs: str) -> None:
        """Start programs of drivers."""
        for name in programs:
            self.start_command(name, sys.executable, str(EXAMPLE / f"{name}.py"))

    def start_command(self, name: str, *command: str, **variables: str) -> None:
        """Start a program of a driver that is none of the conveyor's own."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment = {
            **kept,
            "LINESHAFT_URL": self.station.network.address,
            "LINESHAFT_WORKER_KEY": self._key,
            "XDG_CONFIG_HOME": str(self.folder),
            "CONVEYOR_FOLDER": str(self.folder),
            "PYTHONWARNINGS": "error",
            **self._transport.driver,
            **variables,
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self._programs[name] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_known(self, *programs: str) -> None:
        """Start programs of drivers, and wait until the server knows each."""
        for name in programs:
            self.station.network.forget()
            self.start(name)
            self.station.network.wait_for("/register", 200)

    def kill(self, name: str) -> None:
        """Kill a program of a driver, and leave alone what it has started."""
        self._programs[name].kill()
        self._programs[name].wait()

    def drain(self, name: str) -> int:
        """Have a program of a driver drain, and return its exit code."""
        self._programs[name].terminate()
        return self._programs[name].wait()

    def kill_server(self) -> None:
        """Kill the server, and start it again on its database."""
        server = self.station.replicas[0]
        server.stop(signal.SIGKILL)
        self.station.network.heal()
        server.launch()
        server.wait()
        self.station.lead_to(0)

    def close(self) -> None:
        """Kill all programs, and what they have started; what a dead one has left behind may end."""
        self.signals.open()
        for program in self._programs.values():
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()

    def _call(self, method: str, path: str, body: Document | None = None) -> Document:
        answer = self.station.api.request(method, path, json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())


@contextmanager
def conveyor(folder: Path, database_url: str, transport: Transport) -> Iterator[Conveyor]:
    """Have a conveyor whose server serves; no driver is there yet."""
    signals = Signals(folder / "signals")
    try:
        with station(Plan(folder, database_url, variables=transport.server)) as opened:
            made = Conveyor(opened, signals, transport)
            try:
                yield made
            finally:
                made.close()
    finally:
        signals.close()

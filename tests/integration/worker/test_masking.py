"""Secrets of tasks that print them, through a real worker and the API."""

import base64
import json
import sys
from pathlib import Path

import httpx2
import pytest

from http_pipelines import create, finish, start_of
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from server_process import executed_server, server_process
from worker_tasks import Bench, bench, exec_of

VALUE = 'it\'s "s3cr3t" /+?= é\nsecond-line!'
KEY = "a-key-for-tests-0123456789"

PRINTER = """
import base64, json, os, shlex, sys, urllib.parse

value = os.environ.get("SECRET") or "".join(map(chr, json.loads(sys.argv[1])))
if len(sys.argv) > 1:
    with open(os.environ["LINESHAFT_MASK"], "a") as file:
        file.write(value.replace(chr(10), " ") + chr(10))
    value = value.replace(chr(10), " ")
data = value.encode()
forms = [
    data,
    base64.b64encode(data),
    base64.urlsafe_b64encode(data).rstrip(b"="),
    data.hex().encode(),
    urllib.parse.quote(value, safe="").encode(),
    urllib.parse.quote_plus(value).encode(),
    json.dumps(value)[1:-1].encode(),
    json.dumps(value, ensure_ascii=False)[1:-1].encode(),
    shlex.quote(value)[1:-1].encode(),
]
for form in forms:
    os.write(1, b"<" + form + b">" + chr(10).encode())
    for at in range(len(form)):
        os.write(1, form[at:at + 1])
    os.write(1, chr(10).encode())
with open(os.environ["LINESHAFT_OUTPUT"], "a") as file:
    file.write("told<<END" + chr(10) + "see " + value + chr(10) + "END" + chr(10))
os.write(1, b"half: " + data[:9])
"""
FORMS = 9


def printer(folder: Path) -> Path:
    path = folder / "printer.py"
    path.write_text(PRINTER)
    return path


async def test_a_task_is_given_its_secrets_and_its_log_is_not(worker: Bench, tmp_path: Path) -> None:
    outcome = await worker.run(
        exec_of(sys.executable, str(printer(tmp_path))), secret_values={"SECRET": VALUE}, outputs=("told",)
    )
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert worker.log.data == b"<***>\n***\n" * FORMS + b"half: " + VALUE.encode()[:9]
    assert outcome.outputs == {"told": "see ***"}


async def test_a_task_is_given_its_identity_tokens_and_its_log_is_not(worker: Bench) -> None:
    await worker.run('echo "<$TOKEN>"', id_tokens={"TOKEN": "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0"})
    assert worker.log.text == "<***>\n"


async def test_what_a_shell_traces_is_masked(worker: Bench) -> None:
    await worker.run('set -x; true "$SECRET"', secret_values={"SECRET": "it's-s3cr3t"})
    assert "s3cr3t" not in worker.log.text
    assert "***" in worker.log.text


async def test_a_line_of_outputs_that_makes_no_sense_is_told_without_its_secret(worker: Bench) -> None:
    outcome = await worker.run(
        'printf "%s" "-------------------------------------------$SECRET" > "$LINESHAFT_OUTPUT"',
        secret_values={"SECRET": "s3cr3t-value-that-is-cut-in-its-middle"},
    )
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.OUTPUTS_REFUSED
    assert "s3cr3t" not in outcome.reason.text


async def test_a_secret_cannot_take_the_place_of_what_starts_programs(worker: Bench) -> None:
    await worker.run('echo "$PATH${LD_PRELOAD-}${BASH_ENV-}"', secret_values={"LD_PRELOAD": "/opt/evil.so"})
    assert worker.log.text.startswith("Not set, for no task may set them: LD_PRELOAD\n")
    assert "evil" not in worker.log.text


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "BASH_ENV", "IFS", "LINESHAFT_TOKEN"])
async def test_a_worker_leaves_out_what_a_lease_may_not_set(tmp_path: Path, name: str) -> None:
    inherited = {"PATH": "/usr/bin:/bin"}
    async with bench(tmp_path, environment=inherited) as worker:
        await worker.run(exec_of("env"), env={name: "forged-value", "OWN": "1"})
    lines = worker.log.text.splitlines()
    assert f"Not set, for no task may set them: {name}" in lines
    assert "OWN=1" in lines
    assert not any("forged-value" in line for line in lines)


def test_what_a_task_makes_and_registers_is_in_no_answer_of_the_api(tmp_path: Path) -> None:
    codes = json.dumps([ord(character) for character in VALUE])
    script = f"'{sys.executable}' '{printer(tmp_path)}' '{codes}'"
    definition = {"name": "p", "steps": [{"name": "a", "run": script, "outputs": ["told"]}]}
    with (
        server_process(tmp_path / "data") as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=30) as api,
    ):
        answer = api.post(
            "/v1/pipelines", content=json.dumps(definition), headers={"Content-Type": "application/yaml"}
        )
        assert answer.status_code == 201, answer.text
        run = finish(api, start_of(api, str(answer.json()["id"])))
        log = api.get(f"/v1/runs/{run['id']}/nodes/a/log").content
        shown = api.get(f"/v1/runs/{run['id']}").content + api.get(f"/v1/runs/{run['id']}/events").content
    assert run["state"] == "succeeded", log
    line = VALUE.replace("\n", " ").encode()
    assert log == b"<***>\n***\n" * FORMS + b"half: " + line[:9]
    for form in (line, base64.b64encode(line), json.dumps(line.decode())[1:-1].encode()):
        assert form not in shown


def test_a_worker_does_not_show_its_key_to_its_tasks(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.touch(mode=0o600)
    keys.write_text(f"{KEY}\n")
    # Its own environment, the worker's, and the command lines of both.
    files = "/proc/$each/environ /proc/$each/cmdline"
    script = f"for each in $$ $PPID; do cat {files} || true; done | tr '\\0' '\\n'; env"
    with (
        server_process(tmp_path / "data", "server", LINESHAFT_WORKER_KEYS_FILE=str(keys)) as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=30) as api,
        # It is executed with the key in its environment.
        executed_server(
            tmp_path / "work",
            "worker",
            LINESHAFT_URL=str(api.base_url),
            LINESHAFT_NAME="w",
            LINESHAFT_WORKER_KEY=KEY,
            LINESHAFT_MAX_LOAD="1",
        ),
    ):
        run = finish(api, start_of(api, create(api, script)))
        log = api.get(f"/v1/runs/{run['id']}/nodes/a/log").text
    assert "LINESHAFT_RUN_ID" in log
    assert KEY not in log

"""A task that prints its secret in many ways, through a server, a worker and the API."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx2

from http_pipelines import Document, finish, node, start_of
from server_process import server_process

KEY = "a-key-for-tests-0123456789"
VALUE = 'first-line/+?= é "s3cr3t"\nsecond-line: it\'s h1dden & {safe}!'

PRINTER = r"""
import base64, json, os
from urllib.parse import quote, quote_plus

value = os.environ["TOKEN"]
data = value.encode()
first, second = data.splitlines()
forms = [
    data,
    data.replace(b"\n", b"\r\n"),
    b"1 " + first + b"\n2 " + second,
    base64.b64encode(data),
    base64.b64encode(data + b"\n"),
    base64.urlsafe_b64encode(data).rstrip(b"="),
    base64.b64encode(b"user::" + data + b"::end"),
    data.hex().encode(),
    quote(value, safe="").encode(),
    quote_plus(value).encode(),
    quote(value).lower().encode(),
    json.dumps({"token": value}).encode(),
    repr(value).encode(),
]
for form in forms:
    os.write(1, form + b"\n")
    for at in range(len(form)):
        os.write(1, form[at:at + 1])
    os.write(1, b"\n")
with open(os.environ["LINESHAFT_OUTPUT"], "w") as file:
    file.write(f"told<<END\nsee {value}\nEND\nencoded={base64.b64encode(data).decode()}\n")
"""
LEFT = (
    b"***",
    b"***",
    b"1 ***\n2 ***",
    b"***",
    b"***",
    b"***",
    b"dXNlcjo6***To6ZW5k",
    b"***",
    b"***",
    b"***",
    b"***",
    b'{"token": "***"}',
    b"'***'",
)


TELLING = """
set -x
printf '%s' "see $TOKEN" > "$LINESHAFT_OUTPUT"
"""


def encodings() -> Iterator[bytes]:
    """Name what nobody may find: each line, as it is and encoded; made without what masks."""
    for text in VALUE.splitlines():
        data = text.encode()
        for before in range(3):
            # The characters at both ends are shared with whatever stands there.
            encoded = base64.b64encode(bytes(before) + data)[
                -(-before * 8 // 6) : (before + len(data)) * 8 // 6
            ]
            yield from (encoded, encoded.replace(b"+", b"-").replace(b"/", b"_"))
        yield from (data, data.hex().encode(), data.hex().upper().encode())
        for quoted in (quote(text, safe=""), quote_plus(text), quote(text)):
            yield from (quoted.encode(), quoted.lower().encode())
        yield from (json.dumps(text)[1:-1].encode(), repr(text)[1:-1].encode())


ENCODINGS = frozenset(encodings())


def found_in(data: bytes) -> list[bytes]:
    return [each for each in ENCODINGS if each in data]


def files_with_it(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [str(path) for path in files if found_in(path.read_bytes())]


def pipeline(folder: Path) -> Document:
    """Write a pipeline of a task that prints its secret, and one whose reason and trace hold it."""
    printer = folder / "printer.py"
    printer.write_text(PRINTER)
    return {
        "name": "shop",
        "secrets": ["TOKEN"],
        "steps": [
            {"name": "print", "exec": [sys.executable, str(printer)], "outputs": ["told", "encoded"]},
            {"name": "fail", "run": TELLING, "outputs": ["told"]},
        ],
    }


def shown(api: httpx2.Client, pipeline_id: str, run: Document) -> dict[str, bytes]:
    """Read all that the API tells of a pipeline and its run."""
    nodes = [
        f"/nodes/{name}/{what}" for name in ("print", "fail") for what in ("log", "log/stream", "explain")
    ]
    paths = [
        *(f"/v1/runs/{run['id']}{what}" for what in ("", "/definition", "/events", *nodes)),
        *(f"/v1/pipelines/{pipeline_id}{what}" for what in ("", "/runs", "/secrets", "/audit")),
        *("/v1/audit", "/v1/secrets", "/v1/workers"),
    ]
    return {path: api.get(path).raise_for_status().content for path in paths}


def test_a_secret_that_a_task_prints_is_in_no_answer_and_no_log(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.touch(mode=0o600)
    keys.write_text(f"{KEY}\n")
    with (
        server_process(
            tmp_path / "data", "server", LINESHAFT_WORKER_KEYS_FILE=str(keys), LINESHAFT_LOG_LEVEL="debug"
        ) as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=60) as api,
        server_process(
            tmp_path / "work",
            "worker",
            LINESHAFT_URL=str(api.base_url),
            LINESHAFT_NAME="w",
            LINESHAFT_WORKER_KEY=KEY,
            LINESHAFT_MAX_LOAD="1",
            LINESHAFT_LOG_LEVEL="debug",
        ) as worker,
    ):
        pipeline_id = str(api.post("/v1/pipelines", json=pipeline(tmp_path)).raise_for_status().json()["id"])
        api.put(f"/v1/pipelines/{pipeline_id}/secrets/TOKEN", json={"value": VALUE}).raise_for_status()
        run = finish(api, start_of(api, pipeline_id))
        answers = shown(api, pipeline_id, run)
        ends = (worker.stop(), server.stop())

    printed = answers[f"/v1/runs/{run['id']}/nodes/print/log"]
    assert printed == b"".join(left + b"\n" + left + b"\n" for left in LEFT)
    assert node(run, "print")["outputs"] == {"told": "see ***", "encoded": "***"}
    assert node(run, "fail")["reason"] == {
        "code": "outputs_refused",
        "text": "Line 1 of the outputs is neither NAME=value nor NAME<<END: 'see ***'.",
    }
    assert b"***" in answers[f"/v1/runs/{run['id']}/nodes/fail/log"]
    assert {path: found for path, answer in answers.items() if (found := found_in(answer))} == {}
    assert [(code, found_in(log.encode())) for code, log in ends] == [(0, []), (0, [])]
    assert files_with_it(tmp_path) == []

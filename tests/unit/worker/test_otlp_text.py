from typing import Any

import pytest

from lineshaft.worker.otlp.text import lines_of_logs, lines_of_spans

MOMENT = "1767225600123000000"


def logs(*records: Any) -> dict[str, Any]:
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}


def spans(*each: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(each)}]}]}


def test_a_record_is_its_time_severity_and_body() -> None:
    record = {"timeUnixNano": MOMENT, "severityText": "INFO", "body": {"stringValue": "hello"}}
    assert lines_of_logs(logs(record)) == "2026-01-01T00:00:00.123Z INFO hello\n"


def test_a_record_without_a_time_has_that_of_its_observation() -> None:
    record = {"timeUnixNano": "0", "observedTimeUnixNano": MOMENT, "body": {"stringValue": "hello"}}
    assert lines_of_logs(logs(record)) == "2026-01-01T00:00:00.123Z hello\n"


@pytest.mark.parametrize(("number", "word"), [(1, "TRACE"), (9, "INFO"), (16, "WARN"), (24, "FATAL")])
def test_a_severity_may_be_a_number(number: int, word: str) -> None:
    assert lines_of_logs(logs({"severityNumber": number})) == f"{word}\n"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"intValue": "5"}, "5"),
        ({"doubleValue": 0.5}, "0.5"),
        ({"boolValue": True}, "true"),
        ({"arrayValue": {"values": [{}, {}]}}, "(2 values)"),
        ({"stringValue": "one\ntwo\n"}, "one\ntwo"),
    ],
)
def test_a_body_may_be_any_value(body: dict[str, Any], text: str) -> None:
    assert lines_of_logs(logs({"body": body})) == f"{text}\n"


@pytest.mark.parametrize(("status", "word"), [({"code": 1}, "ok"), ({"code": "STATUS_CODE_ERROR"}, "error")])
def test_a_span_is_its_name_status_and_duration(status: dict[str, Any], word: str) -> None:
    span = {
        "name": "compile",
        "status": status,
        "startTimeUnixNano": MOMENT,
        "endTimeUnixNano": 1767225601623000000,
    }
    assert lines_of_spans(spans(span)) == f"[compile] {word} after 1.500 s\n"


def test_a_span_without_a_status_has_ended() -> None:
    assert lines_of_spans(spans({"name": "a"})) == "[a] ended\n"


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {"resourceSpans": 5, "resourceLogs": {}},
        {"resourceSpans": [None, 1, {"scopeSpans": "x"}], "resourceLogs": [[], {"scopeLogs": [3]}]},
    ],
)
def test_what_is_no_telemetry_gives_no_lines(document: object) -> None:
    assert lines_of_logs(document) == ""
    assert lines_of_spans(document) == ""


@pytest.mark.parametrize("value", ["x", "9" * 400, 10**40, -1, True, None, [], {}, 1.5, "१"])
def test_times_that_are_none_are_left_out(value: object) -> None:
    record = {"timeUnixNano": value, "body": {"stringValue": "hello"}}
    assert lines_of_logs(logs(record)) == "hello\n"
    span = {"name": "a", "status": value, "startTimeUnixNano": value, "endTimeUnixNano": value}
    assert lines_of_spans(spans(span)) == "[a] ended\n"

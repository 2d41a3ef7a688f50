"""OTLP/JSON documents as lines of a log.

The encoding is that of https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_STATUS: Final[dict[object, str]] = {
    1: "ok",
    "STATUS_CODE_OK": "ok",
    2: "error",
    "STATUS_CODE_ERROR": "error",
}
_NAME_AT_MOST: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Each word has four numbers: https://opentelemetry.io/docs/specs/otel/logs/data-model/.
_SEVERITIES: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_NUMBERS_PER_SEVERITY: Final = 4


def lines_of_logs(document: object) -> str:
    """Write each record of an ExportLogsServiceRequest as its time, severity and body.

    What is not as it should be is left out.
    """
    records = _items(document, "resourceLogs", "scopeLogs", "logRecords")
    return "".join(_line_of_record(record) for record in records)


def lines_of_spans(document: object) -> str:
    """Write each span of an ExportTraceServiceRequest as its name, status and duration.

    What is not as it should be is left out.
    """
    return "".join(_line_of_span(span) for span in _items(document, "resourceSpans", "scopeSpans", "spans"))


def _items(document: object, *path: str) -> Iterator[dict[str, Any]]:
    level = [document]
    for key in path:
        level = [
            item
            for parent in level
            if isinstance(parent, dict) and isinstance(items := parent.get(key), list)
            for item in items
        ]
    return (item for item in level if isinstance(item, dict))


def _line_of_record(record: dict[str, Any]) -> str:
    moment = _nanoseconds(record.get("timeUnixNano")) or _nanoseconds(record.get("observedTimeUnixNano"))
    words = (_time(moment), _severity(record), _value(record.get("body")).rstrip("\n"))
    return " ".join(word for word in words if word) + "\n"


def _line_of_span(span: dict[str, Any]) -> str:
    name = str(span.get("name", ""))[:_NAME_AT_MOST]
    status = span.get("status")
    code = status.get("code") if isinstance(status, dict) else None
    word = _STATUS.get(code, "ended") if isinstance(code, int | str) else "ended"
    start, end = (_nanoseconds(span.get(key)) for key in ("startTimeUnixNano", "endTimeUnixNano"))
    took = f" after {(end - start) / 1e9:.3f} s" if start and end and end >= start else ""
    return f"[{name}] {word}{took}\n"


def _nanoseconds(value: object) -> int:
    # 64-bit numbers are text in JSON, but some senders write them as numbers.
    match value:
        case bool():
            return 0
        case int():
            return value if 0 < value < 1 << 64 else 0
        case str() if value.isascii() and value.isdigit() and len(value) <= len(str(1 << 64)):
            return int(value)
        case _:
            return 0


def _time(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    try:
        moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _severity(record: dict[str, Any]) -> str:
    match record:
        case {"severityText": str(text)} if text:
            return text
        case {"severityNumber": int(number)} if 1 <= number <= _NUMBERS_PER_SEVERITY * len(_SEVERITIES):
            return _SEVERITIES[(number - 1) // _NUMBERS_PER_SEVERITY]
        case _:
            return ""


def _value(value: object) -> str:
    """Write an AnyValue (https://opentelemetry.io/docs/specs/otel/common/#anyvalue) in a few words."""
    match value:
        case {"stringValue": str(text)} | {"intValue": str(text)}:
            return text
        case {"boolValue": bool(flag)}:
            return str(flag).lower()
        case {"intValue": int(number)} | {"doubleValue": int(number) | float(number)}:
            return str(number)
        case {"arrayValue": {"values": list(values)}} | {"kvlistValue": {"values": list(values)}}:
            return f"({len(values)} values)"
        case _:
            return ""

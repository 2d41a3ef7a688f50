"""Request bodies, read here alone: at most so many bytes, whatever the request says of its length."""

from collections.abc import AsyncGenerator
from typing import Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from lineshaft.model.errors import InputTooLargeError, InvalidInputError
from lineshaft.server.problems import field_problem

BODY_LIMIT_BYTES: Final = 1024 * 1024

REPORT_LIMIT_BYTES: Final = 8 * 1024 * 1024
"""Of a worker's report, whose JSON may escape every character of up to 1 MiB of generated nodes."""

_LENGTH_DIGITS: Final = 18
_CHUNK_BYTES: Final = 1024 * 1024

MessageT = TypeVar("MessageT", bound=BaseModel)


async def read_body(request: Request, limit_bytes: int = BODY_LIMIT_BYTES) -> bytes:
    """Read a body, and stop where it is too large.

    Raises:
        InputTooLargeError: it is longer than the limit, or says so.
    """
    _refuse_declared(request, limit_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
    return bytes(body)


async def read_chunks(request: Request, limit_bytes: int) -> AsyncGenerator[bytes, None]:
    """Read a body in chunks of about 1 MiB, and stop where it is too large.

    Raises:
        InputTooLargeError: it is longer than the limit, or says so.
    """
    _refuse_declared(request, limit_bytes)
    size = yielded = 0
    gathered: list[bytes] = []
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        gathered.append(chunk)
        if size - yielded >= _CHUNK_BYTES:
            yield b"".join(gathered)
            yielded = size
            gathered.clear()
    if size > yielded:
        yield b"".join(gathered)


async def read_message(
    request: Request, kind: type[MessageT], limit_bytes: int = BODY_LIMIT_BYTES
) -> MessageT:
    """Read a body that is a message.

    Raises:
        InputTooLargeError: it is longer than the limit.
        InvalidInputError: it is no such message.
    """
    return message(await read_body(request, limit_bytes), kind)


async def read_optional(request: Request, kind: type[MessageT]) -> MessageT:
    """Read a body that is a message; none at all stands for one that says nothing.

    Raises:
        InputTooLargeError: it is longer than BODY_LIMIT_BYTES.
        InvalidInputError: it is no such message.
    """
    return message(await read_body(request) or b"{}", kind)


def checked(kind: type[MessageT], **members: object) -> MessageT:
    """Make a message of what a request says elsewhere than in its body.

    Raises:
        InvalidInputError: it is no such message.
    """
    try:
        return kind.model_validate(members)
    except ValidationError as error:
        raise _invalid(error, "The request is not as it must be.") from None


def message(body: bytes, kind: type[MessageT]) -> MessageT:
    """Make a message of a body that was read.

    Raises:
        InvalidInputError: it is no such message.
    """
    try:
        return kind.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise _invalid(error, "The request's body is not as it must be.") from None


def _invalid(error: ValidationError, message: str) -> InvalidInputError:
    problems = [field_problem(entry) for entry in error.errors(include_url=False, include_context=False)]
    return InvalidInputError(message, problems=problems)


def _refuse_declared(request: Request, limit_bytes: int) -> None:
    declared = request.headers.get("content-length", "0")
    if len(declared) > _LENGTH_DIGITS or int(declared) > limit_bytes:
        raise _too_large(limit_bytes)


def _too_large(limit_bytes: int) -> InputTooLargeError:
    return InputTooLargeError(
        f"The body is longer than {limit_bytes} bytes, which is the limit.",
        advice="Send less at a time.",
    )

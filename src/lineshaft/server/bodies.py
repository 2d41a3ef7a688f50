"""Request bodies, read here alone: at most so many bytes, whatever the request says of its length."""

from typing import Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from lineshaft.model.errors import InputTooLargeError, InvalidInputError
from lineshaft.server.problems import field_problem

BODY_LIMIT_BYTES: Final = 1024 * 1024

_LENGTH_DIGITS: Final = 18

MessageT = TypeVar("MessageT", bound=BaseModel)


async def read_body(request: Request) -> bytes:
    """Read a body, and stop where it is too large.

    Raises:
        InputTooLargeError: it is longer than BODY_LIMIT_BYTES, or says so.
    """
    declared = request.headers.get("content-length", "0")
    if len(declared) > _LENGTH_DIGITS or int(declared) > BODY_LIMIT_BYTES:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT_BYTES:
            raise _too_large()
    return bytes(body)


async def read_message(request: Request, kind: type[MessageT]) -> MessageT:
    """Read a body that is a message.

    Raises:
        InputTooLargeError: it is longer than BODY_LIMIT_BYTES.
        InvalidInputError: it is no such message.
    """
    return _message(await read_body(request), kind)


async def read_optional(request: Request, kind: type[MessageT]) -> MessageT:
    """Read a body that is a message; none at all stands for one that says nothing.

    Raises:
        InputTooLargeError: it is longer than BODY_LIMIT_BYTES.
        InvalidInputError: it is no such message.
    """
    return _message(await read_body(request) or b"{}", kind)


def _message(body: bytes, kind: type[MessageT]) -> MessageT:
    try:
        return kind.model_validate_json(body, strict=True)
    except ValidationError as error:
        problems = [field_problem(entry) for entry in error.errors(include_url=False, include_context=False)]
        raise InvalidInputError(f"The body is no {kind.__name__} message.", problems=problems) from None


def _too_large() -> InputTooLargeError:
    return InputTooLargeError(
        f"The body is longer than {BODY_LIMIT_BYTES} bytes, which is the limit.",
        advice="Send less at a time.",
    )

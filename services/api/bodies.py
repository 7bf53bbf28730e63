"""Reads the body of a request into a model: bounded, JSON only, with all of its faults at once."""

import asyncio
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from services.api.faults import faults_of
from services.api.refusals import BodyTooLarge, BodyTooSlow, Fault, InvalidInput, NotJson, UnreadableBody

MAX_BODY_BYTES = 256 * 1024
# For the whole of it: whoever sends byte by byte holds a socket for that long, and nothing else.
BODY_LIMIT_S = 15.0
# RFC 8259, section 8.1: JSON travels as UTF-8, of which ASCII is a part.
_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})

Model = TypeVar("Model", bound=BaseModel)


async def read_body(
    request: Request, model: type[Model], *, context: object = None, limit_s: float = BODY_LIMIT_S
) -> Model:
    """Return the body as the model.

    Args:
        request: Whose body it is; it is read here for the first time.
        model: What the body must be.
        context: What the model's validators need to know beyond the body.
        limit_s: How long it may take to arrive.

    Raises:
        NotJson: The content type says so.
        BodyTooLarge: It is longer than 256 KiB.
        BodyTooSlow: It did not arrive in time.
        UnreadableBody: It is no JSON, nested too deeply, or not UTF-8.
        InvalidInput: It breaks the model.
    """
    media_type, charset = _content_type(request.headers.get("content-type", ""))
    raw = await _read_in_time(request, limit_s)
    if media_type != "application/json" and (raw or media_type):
        raise NotJson
    if charset not in _CHARSETS:
        raise UnreadableBody("JSON travels as UTF-8; the content type names another charset")
    if not raw:
        raise InvalidInput(Fault("body", "is required"))
    try:
        return model.model_validate_json(raw, context=context)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    if errors[0]["type"] == "json_invalid":
        # Tells the place and the rule, never the text that stands there.
        raise UnreadableBody(errors[0]["msg"].removeprefix("Invalid JSON: "))
    raise InvalidInput(*faults_of(errors))


def _content_type(header: str) -> tuple[str, str]:
    """Return media type and charset, in lower case; a charset that is not named is empty."""
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    named = (value for name, _, value in (one.partition("=") for one in parameters) if name == "charset")
    return media_type, next(named, "").strip('"')


async def _read_in_time(request: Request, limit_s: float) -> bytes:
    try:
        async with asyncio.timeout(limit_s):
            return await _read(request)
    except TimeoutError as error:
        raise BodyTooSlow(f"it may take {limit_s:g} s") from error
    except ClientDisconnect as error:
        # Nobody is left to read the answer; it is no failure of ours.
        raise UnreadableBody("it broke off") from error


async def _read(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"at most {MAX_BODY_BYTES} bytes are read")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge(f"at most {MAX_BODY_BYTES} bytes are read")
    return bytes(body)


def documented_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI tells about a body that `read_body` reads."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}

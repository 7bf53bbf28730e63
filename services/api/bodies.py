"""Reads the body of a request into a model: bounded, JSON only, with all of its faults at once."""

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from services.api.faults import faults_of
from services.api.refusals import BodyTooLarge, Fault, InvalidInput, NotJson, UnreadableBody

MAX_BODY_BYTES = 256 * 1024

Model = TypeVar("Model", bound=BaseModel)


async def read_body(request: Request, model: type[Model], *, context: object = None) -> Model:
    """Return the body as the model.

    Args:
        request: Whose body it is; it is read here for the first time.
        model: What the body must be.
        context: What the model's validators need to know beyond the body.

    Raises:
        NotJson: The content type says so.
        BodyTooLarge: It is longer than 256 KiB.
        UnreadableBody: It is no JSON, nested too deeply, or not valid UTF-8.
        InvalidInput: It breaks the model.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    raw = await _read(request)
    if media_type != "application/json" and (raw or media_type):
        raise NotJson
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

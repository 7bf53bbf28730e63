"""Reads forms: bounded, and only those that a page of ours has sent."""

import asyncio
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request
from starlette.requests import ClientDisconnect

from services.api.bodies import BODY_LIMIT_S
from services.api.refusals import BodyTooLarge, BodyTooSlow, ForeignForm, UnreadableBody

# The longest form is a webhook with twenty headers of 2,048 characters, each of which may be written as three.
MAX_FORM_BYTES = 256 * 1024
MAX_FIELDS = 500
CSRF = "csrf"


class Form:
    """The fields of a form, in order; a name may stand there more than once."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def text(self, name: str) -> str:
        """Return the first value of a name; empty where there is none."""
        return next((value for key, value in self._fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return every value of a name."""
        return [value for key, value in self._fields if key == name]

    def has(self, name: str) -> bool:
        """Return whether a box is ticked, or a button was pressed."""
        return any(key == name for key, _ in self._fields)


async def read_form(request: Request, *, limit_s: float = BODY_LIMIT_S) -> Form:
    """Return the form that a request carries.

    Raises:
        BodyTooLarge: It is longer than 256 KiB.
        BodyTooSlow: It did not arrive in time.
        UnreadableBody: It is no form.
    """
    try:
        async with asyncio.timeout(limit_s):
            raw = await _read(request)
    except TimeoutError as error:
        raise BodyTooSlow(f"it may take {limit_s:g} s") from error
    except ClientDisconnect as error:
        raise UnreadableBody("it broke off") from error
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise UnreadableBody("it is no form")
    try:
        fields = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise UnreadableBody("it is no form") from error
    # Browsers send the ends of lines as on paper; we keep them as everybody else does.
    return Form([(name, value.replace("\r\n", "\n")) for name, value in fields])


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise BodyTooLarge(f"at most {MAX_FORM_BYTES} bytes are read")
    return bytes(body)


def require_own_origin(request: Request, origin: str | None) -> None:
    """Refuse a request that changes something and does not come from a page of ours.

    Args:
        request: Its header Origin is written by the browser, out of reach of scripts.
        origin: Where browsers reach the console; what the request itself asks for, where none is set.

    Raises:
        ForeignForm: It comes from elsewhere, or does not say where from.
    """
    named = request.headers.get("origin")
    if origin is not None:
        good = named == origin
    else:
        host = request.headers.get("host", "")
        good = named is not None and bool(host) and urlsplit(named).netloc == host
    if not good:
        raise ForeignForm

"""One HTTP/1.1 connection by httptools: a request written in one piece, its answer read up to a cap.

Why not a whole client: docs/decisions/0005-connections-of-our-own.md.
"""

import asyncio
import re
from typing import NamedTuple, cast

import httptools

# Read of an answer's body before the connection is given up, and kept of it.
READ_BYTES = 64 * 1024
KEPT_BYTES = 4 * 1024

# A longer head is no answer of a receiver that means well.
MOST_HEAD_BYTES = 64 * 1024

# An answer that says how long it is cannot end with its connection.
_FRAMED = re.compile(rb"^(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE | re.MULTILINE)

# 1xx come before the answer; but for 101, after which it is HTTP no longer.
_INTERIM = range(100, 200)
_SWITCHING = 101


class MalformedAnswerError(Exception):
    """What came is not HTTP, or more of it than anybody needs."""


class ClosedError(ConnectionResetError):
    """The connection ended before the answer was whole."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        # Whether a byte of the answer had come.
        self.begun = begun


class Reply(NamedTuple):
    """An answer, as it came."""

    status: int
    # Status line and headers, without the empty line behind them.
    head: bytes
    # As much as is kept.
    body: bytes


class Connection(asyncio.Protocol):
    """Carries one exchange after the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = self._new_parser()
        self._waiter: asyncio.Future[Reply] | None = None
        self._raw = b""
        self._status = 0
        self._body = b""
        self._size = 0
        self._whole = False
        # Whether the last answer leaves the connection fit for another request.
        self.reusable = False
        # Whether a byte of the answer at hand has come.
        self.begun = False
        # Whether its status and headers are complete.
        self.headed = False
        # When it became idle, by the loop's clock.
        self.idle_since = 0.0

    def _new_parser(self) -> httptools.HttpResponseParser:
        parser = httptools.HttpResponseParser(self)
        # As liberal as other clients: an answer is only looked at, and a strange one ends its connection.
        parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        return parser

    @property
    def open(self) -> bool:
        """Whether a request may still be written."""
        return self._transport is not None and not self._transport.is_closing()

    def exchange(self, request: bytes) -> asyncio.Future[Reply]:
        """Write a request; the future gets its answer.

        The future fails with ClosedError or MalformedAnswerError; whoever gives up waiting must `abort`.
        """
        transport = self._transport
        waiter = self._loop.create_future()
        self.begun = self.reusable = self.headed = self._whole = False
        self._raw = self._body = b""
        self._size = 0
        if transport is None or transport.is_closing():
            waiter.set_exception(ClosedError(begun=False))
            return waiter
        self._waiter = waiter
        transport.write(request)
        return waiter

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._waiter = None
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on; what comes without having been asked for ends the connection."""
        if self._waiter is None:
            self.abort()
            return
        self.begun = True
        if not self.headed:
            self._raw = self._raw + data if self._raw else data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.reusable = False
        except httptools.HttpParserError:
            self._fail(MalformedAnswerError())
            return
        if self._whole or self._size >= READ_BYTES:
            self._answer()
        elif not self.headed and len(self._raw) > MOST_HEAD_BYTES:
            self._fail(MalformedAnswerError())

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange at hand: with its answer, where only the end tells that it is whole."""
        self._transport = None
        if self._waiter is not None:
            if exc is None and self.headed and not _FRAMED.search(self._head()):
                self._answer()
            else:
                self._fail(ClosedError(begun=self.begun))
        # The parser holds on to our methods; without it, both are gone at once.
        del self._parser

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Notice that more comes than was asked for."""
        if self._whole:
            self.reusable = False

    def on_headers_complete(self) -> None:
        """Take the status."""
        if not self._whole:
            self._status = self._parser.get_status_code()
            self.headed = self._status not in _INTERIM or self._status == _SWITCHING

    def on_body(self, body: bytes) -> None:
        """Keep the beginning."""
        if self._whole:
            # Of another answer, which nobody asked for.
            return
        if self._size < KEPT_BYTES:
            self._body += body[: KEPT_BYTES - self._size]
        self._size += len(body)

    def on_message_complete(self) -> None:
        """Notice the end of the answer, or of what comes before one."""
        if self.headed:
            if not self._whole:
                self._whole = True
                self.reusable = self._parser.should_keep_alive()
        else:
            self._raw = _behind_head(self._raw)

    # The end of an exchange.

    def _head(self) -> bytes:
        return self._raw[: _end_of_head(self._raw)]

    def _answer(self) -> None:
        waiter, self._waiter = self._waiter, None
        head = self._head()
        self._raw = b""
        if not (self.reusable and self._whole):
            self.reusable = False
            self.abort()
        if waiter is not None and not waiter.done():
            if len(head) > MOST_HEAD_BYTES:
                waiter.set_exception(MalformedAnswerError())
            else:
                waiter.set_result(Reply(self._status, head, self._body))

    def _fail(self, error: Exception) -> None:
        waiter = self._waiter
        self.abort()
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)


def _end_of_head(raw: bytes) -> int:
    end = raw.find(b"\r\n\r\n")
    if end < 0:
        # A few servers write bare line feeds.
        end = raw.find(b"\n\n")
    return end if end >= 0 else len(raw)


def _behind_head(raw: bytes) -> bytes:
    return raw[_end_of_head(raw) :].lstrip(b"\r\n")

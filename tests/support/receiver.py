"""A receiver that costs next to nothing: raw HTTP over an asyncio protocol, as a task or as a process of its own.

The path says how it behaves: /ok answers 200, /slow/50 does so after 50 ms, /status/503 that status, /hang never
answers, /drip sends a byte of the body a second (/drip/20 one each 20 ms, /drip-head/20 of the headers), /reset breaks
off in the body with a TCP reset, /garbage speaks no HTTP, /long answers far more than anybody reads. GET /stats tells
what arrived (JSON), GET /arrivals lists every marked request, GET /reset-stats forgets all of it.
"""

import argparse
import asyncio
import json
import resource
import time
from dataclasses import dataclass, field
from typing import Any, cast

import uvloop

from tests.support.sockets import reset

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_END = b"\r\n\r\n"
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_CANNED = {
    "garbage": b"SSH-2.0-nothing like HTTP\r\n\r\n",
    "long": b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 200_000,
}
_BEGINNINGS = {
    "drip": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    "drip-head": b"HTTP/1.1 200 OK\r\nX-Slow: ",
}


@dataclass(slots=True)
class Received:
    """One request as it came."""

    path: str
    head: bytes
    body: bytes
    # Seconds since 1970, when the last byte was there.
    at: float

    @property
    def headers(self) -> dict[str, str]:
        """The headers, names in lower case."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}

    @property
    def hook_id(self) -> str:
        return self.headers["x-coro-hook-id"]

    def json(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.body))


@dataclass
class Receiver:
    """Listens on loopback and remembers every request."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    # Path prefix to (status, headers, body) or to one of the behaviours by name; asked before the path itself.
    answers: dict[str, str] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _arrival: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.Transport] = field(default_factory=set)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Protocol(self), "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for transport in list(self._open):
            transport.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def url(self, path: str = "/ok") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def of(self, prefix: str) -> list[Received]:
        """Return what came to paths with this prefix, in order."""
        return [one for one in self.received if one.path.startswith(prefix)]

    async def until(self, count: int, *, prefix: str = "/", limit_s: float = 20.0) -> list[Received]:
        """Wait until so many requests came to paths with this prefix; fail with what came instead."""
        try:
            async with asyncio.timeout(limit_s):
                while len(self.of(prefix)) < count:
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            raise AssertionError(
                f"{len(self.of(prefix))} of {count} requests came to {prefix} in {limit_s:g} s"
            ) from None
        return self.of(prefix)

    async def until_alone(self, *, limit_s: float = 20.0) -> None:
        """Wait until nobody is connected: what somebody who was killed had sent is read by then."""
        try:
            async with asyncio.timeout(limit_s):
                while self._open:
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            raise AssertionError(f"{len(self._open)} connections are still open after {limit_s:g} s") from None

    def take(self, request: Received) -> None:
        self.received.append(request)
        self._arrival.set()


class _Protocol(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._receiver._open.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._transport is not None:
            self._receiver._open.discard(self._transport)
            self._receiver._arrival.set()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        while True:
            split = self._buffer.find(_END)
            if split < 0:
                return
            head = self._buffer[:split]
            length = _content_length(head)
            if len(self._buffer) < split + 4 + length:
                return
            body = self._buffer[split + 4 : split + 4 + length]
            self._buffer = self._buffer[split + 4 + length :]
            self._handle(head, body)

    def _handle(self, head: bytes, body: bytes) -> None:
        first = head[: head.find(b"\r\n")].split(b" ")
        path = first[1].decode("latin-1")
        if first[0] == b"GET":
            self._control(path)
            return
        self._receiver.take(Received(path, head, body, time.time()))  # noqa: TID251 - the receiver is no part of us
        behaviour = self._receiver.answers.get(path) or path
        if behaviour.startswith("/ok"):
            self._write(_OK)
        else:
            self._behave(behaviour)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _behave(self, behaviour: str) -> None:
        parts = behaviour.strip("/").split("/")
        match parts[0]:
            case "status":
                extra = "".join(f"{line}\r\n" for line in parts[2:] if ":" in line)
                self._write(f"HTTP/1.1 {parts[1]} Told\r\n{extra}Content-Length: 4\r\n\r\ntold".encode())
            case "slow":
                asyncio.get_running_loop().call_later(int(parts[1]) / 1000, self._write, _OK)
            case "hang":
                return
            case "drip" | "drip-head":
                self._write(_BEGINNINGS[parts[0]])
                # More may follow, by which requests are told apart.
                every_ms = parts[1] if parts[1:] and parts[1].isdigit() else "1000"
                self._drip(int(every_ms) / 1000)
            case "reset":
                self._write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbroken")
                if self._transport is not None:
                    reset(self._transport)
            case other:
                self._write(_CANNED.get(other, _NOT_FOUND))

    def _drip(self, every_s: float) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"x")
            asyncio.get_running_loop().call_later(every_s, self._drip, every_s)

    def _control(self, path: str) -> None:
        if path == "/reset-stats":
            self._receiver.received.clear()
            self._write(_OK)
            return
        received = self._receiver.received
        body = json.dumps(arrivals(received) if path == "/arrivals" else statistics(received)).encode()
        self._write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _content_length(head: bytes) -> int:
    start = head.find(b"\r\nContent-Length: ")
    if start < 0:
        return 0
    end = head.find(b"\r\n", start + 18)
    return int(head[start + 18 : end if end > 0 else None])


def statistics(received: list[Received]) -> dict[str, Any]:
    """Return counts, ages and the receiver's own cost.

    An event made by the benchmark carries the mark `n=<number>;t=<microseconds since 1970>;` in its data.
    """
    arrivals: dict[tuple[str, bytes], int] = {}
    ages_ms: dict[str, list[float]] = {}
    for one in received:
        mark = one.body.find(b"n=")
        if mark < 0:
            continue
        number, stamp = one.body[mark : mark + 60].split(b";")[:2]
        key = (one.path, number)
        arrivals[key] = arrivals.get(key, 0) + 1
        if arrivals[key] == 1:
            ages_ms.setdefault(one.path, []).append(one.at * 1e3 - int(stamp[2:]) / 1e3)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "requests": len(received),
        "unique": len(arrivals),
        "duplicates": sum(count - 1 for count in arrivals.values()),
        "ages_ms": ages_ms,
        "first_at": received[0].at if received else None,
        "last_at": received[-1].at if received else None,
        "cpu_s": usage.ru_utime + usage.ru_stime,
    }


def arrivals(received: list[Received]) -> list[tuple[str, int, str, float]]:
    """Return path, number of the event, hook id and time of every request that carries a mark."""
    found = []
    for one in received:
        mark = one.body.find(b"n=")
        if mark >= 0:
            number = int(one.body[mark + 2 : one.body.index(b";", mark)])
            found.append((one.path, number, one.hook_id, one.at))
    return found


async def _serve(port: int) -> None:
    receiver = Receiver(port=port)
    await receiver.start()
    print(receiver.port, flush=True)  # noqa: T201 - whoever started us reads the port
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    uvloop.run(_serve(parser.parse_args().port))

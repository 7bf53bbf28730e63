"""A Kafka producer in memory, for producers of events; tests/contract/producer holds it to the real one's promises."""

import asyncio
from dataclasses import dataclass, field


@dataclass
class FakePublisher:
    """Satisfies `Publisher`: keeps what is sent, and fails where the test says so.

    Attributes:
        refuse_start: Raised when connecting.
        refuse_send: Raised when buffering, by number of the send.
        refuse_acknowledgement: What an acknowledgement ends in, by number of the send.
        calls: How it was started and stopped.
        sent: Topic, key, value and headers of every record.
    """

    refuse_start: Exception | None = None
    refuse_send: dict[int, Exception] = field(default_factory=dict)
    refuse_acknowledgement: dict[int, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    sent: list[tuple[str, bytes, bytes, list[tuple[str, bytes]]]] = field(default_factory=list)

    async def start(self) -> None:
        self.calls.append("start")
        if self.refuse_start:
            raise self.refuse_start

    async def flush(self) -> None:
        """Nothing is buffered here."""

    async def stop(self) -> None:
        self.calls.append("stop")

    async def send(
        self, topic: str, value: bytes, key: bytes, *, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[object]:
        # The real one refuses anything else.
        if type(headers) is not list:
            raise TypeError("headers must be a list")
        number = len(self.sent)
        if number in self.refuse_send:
            raise self.refuse_send[number]
        self.sent.append((topic, key, value, headers))
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if number in self.refuse_acknowledgement:
            future.set_exception(self.refuse_acknowledgement[number])
        else:
            future.set_result(None)
        return future

"""A mail server that delivers nothing: each mail becomes a readable .eml file."""

import argparse
import asyncio
import itertools
import signal
import sys
from datetime import datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from coro_events.runtime.clock import Clock, SystemClock


class MailFolder:
    """Writes mails into a folder, in the order they came."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._numbers = itertools.count(1)

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail and answer the SMTP client."""
        del server, session
        content = envelope.content or b""
        if isinstance(content, str):
            content = content.encode()
        name = mail_name(self._clock.now(), next(self._numbers), envelope.rcpt_tos)
        draft = self._folder / f".{name}"
        draft.write_bytes(content.replace(b"\r\n", b"\n"))
        draft.replace(self._folder / name)
        sys.stdout.write(f"mail kept: {name}\n")
        return "250 Message accepted for delivery"


def mail_name(at: datetime, number: int, recipients: list[str]) -> str:
    """Return a file name that sorts by time and tells the first recipient."""
    recipient = recipients[0] if recipients else "nobody"
    readable = "".join(letter if letter.isalnum() or letter in "@.-_" else "_" for letter in recipient)
    return f"{at:%Y%m%dT%H%M%S}-{number:04d}-{readable[:80]}.eml"


async def serve(*, host: str, port: int, folder: Path, clock: Clock) -> None:
    """Take mails until SIGTERM or SIGINT."""
    handler = MailFolder(folder, clock)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: SMTP(handler, hostname="localhost"), host, port)
    async with server:
        sys.stdout.write(f"mail sink on {host}:{port}, mails in {folder}\n")
        await stopped.wait()


def main() -> None:
    """Run the mail sink."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.mail_sink", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1025)
    parser.add_argument("--dir", type=Path, required=True, help="folder for the .eml files")
    arguments = parser.parse_args()
    asyncio.run(serve(host=arguments.host, port=arguments.port, folder=arguments.dir, clock=SystemClock()))


if __name__ == "__main__":
    main()

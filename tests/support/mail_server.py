"""A real SMTP server on loopback that keeps what it gets, and refuses, stalls or breaks off when it is told to."""

import asyncio
import ssl
import warnings
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True)
class Received:
    """One mail as it came.

    Attributes:
        to: Whom the server was to give it to.
        is_private: Whether it came through TLS.
        user: Who signed in; empty for nobody.
    """

    to: str
    sender: str
    message: EmailMessage
    is_private: bool
    user: str

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"there is no {kind} part"
        content: str = part.get_content()
        return content.replace("\r\n", "\n")


@dataclass
class MailServer:
    """Satisfies aiosmtpd's handlers.

    Attributes:
        received: All mails, in order.
        replies: What it says to RCPT for an address, instead of taking it.
        loses: Before which mail, by number from 1, it breaks off without keeping it.
        swallows: At which mail, by number from 1, it keeps it and breaks off without an answer.
        user: Who must sign in, with which password; none lets everybody in.
    """

    received: list[Received] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    loses: set[int] = field(default_factory=set)
    swallows: set[int] = field(default_factory=set)
    user: tuple[str, str] | None = None
    # For STARTTLS, or with `is_wrapped` for the whole connection; none speaks in the clear.
    tls: ssl.SSLContext | None = None
    is_wrapped: bool = False
    port: int = 0
    count: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _signed_in: dict[Session, str] = field(default_factory=dict)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        wrapped = self.tls if self.is_wrapped else None
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=wrapped)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def url(self, credentials: str = "") -> str:
        scheme = "smtps" if self.is_wrapped else "smtp"
        return f"{scheme}://{credentials}127.0.0.1:{self.port}"

    def of(self, address: str) -> list[Received]:
        return [mail for mail in self.received if mail.to == address]

    def _protocol(self) -> SMTP:
        self.connections += 1
        with warnings.catch_warnings():
            # It knows nothing of the TLS around it, and warns of passwords in the clear.
            warnings.simplefilter("ignore")
            return SMTP(
                self,
                hostname="localhost",
                tls_context=None if self.is_wrapped else self.tls,
                auth_required=self.user is not None,
                auth_require_tls=not self.is_wrapped,
                authenticator=self._authenticate,
            )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        del server, envelope, mechanism
        assert isinstance(data, LoginPassword)
        self._signed_in[session] = data.login.decode()
        return AuthResult(success=self.user == (data.login.decode(), data.password.decode()), handled=False)

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.count += 1
        if self.count in self.loses:
            _break_off(server)
            return "451 never heard"
        message = message_from_bytes(_bytes(envelope.content), policy=default)
        for address in envelope.rcpt_tos:
            self.received.append(
                Received(
                    to=address,
                    sender=envelope.mail_from or "",
                    message=message,
                    is_private=self.is_wrapped or session.ssl is not None,
                    user=self._signed_in.get(session, ""),
                )
            )
        if self.count in self.swallows:
            _break_off(server)
        return "250 Taken"


def _break_off(server: SMTP) -> None:
    cast("asyncio.Transport", server.transport).abort()


def _bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else str(content).encode()

"""The mail server by SMTP: TLS, signing in, one mail a recipient, and its answers as one of a closed set."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr

import aiosmtplib
from aiosmtplib import SMTP

from coro_events.errors import MailServerAwayError
from services.scheduler.mail.ports import Answer, Letter, Outcome
from services.scheduler.mail.servers import MailServer

_CLOSING = 421
_PERMANENT = 500
_SAID_MAX = 300

# Whatever the text holds, the bytes are ASCII, which every server passes on.
_POLICY = SMTP_POLICY.clone(cte_type="7bit")
# The standard library may begin a subject that is longer than a line on a line of its own; readers of mail then show
# a blank in front. Other characters than ASCII need its folding, and have no such blank.
_ASCII_POLICY = _POLICY.clone(max_line_length=900)


class SmtpMailer:
    """Satisfies `Mailer`."""

    def __init__(self, server: MailServer, *, sender: str, limit_s: float, tls: ssl.SSLContext) -> None:
        """Keep the settings; nothing is connected yet.

        Args:
            server: Which one.
            sender: The From line, such as `Coro Webhooks <webhooks@example.com>`.
            limit_s: How long connecting, and each answer, may take.
            tls: Whom we trust.
        """
        self._server = server
        self._sender = sender
        self._limit_s = limit_s
        self._tls = tls

    @asynccontextmanager
    async def session(self) -> AsyncIterator["SmtpSession"]:
        """Connect, sign in where there is a user, and say good-bye after the block."""
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.is_wrapped,
            # None: where the server offers it; True: not without.
            start_tls=False if server.is_wrapped else (None if server.is_plain_allowed else True),
            tls_context=self._tls,
            timeout=self._limit_s,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as error:
            client.close()
            raise MailServerAwayError(_described(error)) from error
        try:
            yield SmtpSession(client, sender=self._sender)
        finally:
            await _leave(client)


class SmtpSession:
    """Satisfies `MailSession`."""

    def __init__(self, client: SMTP, *, sender: str) -> None:
        self._client = client
        self._sender = sender

    async def send(self, letter: Letter) -> Answer:
        """Hand over one mail."""
        try:
            message = compose(letter, sender=self._sender)
            await self._client.sendmail(parseaddr(self._sender)[1], [letter.to], message.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as error:
            return _answer(error.recipients[0])
        except aiosmtplib.SMTPSenderRefused as error:
            # It would say so to every mail.
            raise MailServerAwayError(_described(error)) from error
        except aiosmtplib.SMTPResponseException as error:
            return _answer(error)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as error:
            raise MailServerAwayError(_described(error)) from error
        except (aiosmtplib.SMTPException, ValueError) as error:
            # The address cannot be written in a way this server understands.
            return Answer(Outcome.REFUSED, _described(error))
        return Answer(Outcome.TAKEN)


def compose(letter: Letter, *, sender: str) -> EmailMessage:
    """Return the mail as it travels: plain text, and the same as HTML."""
    message = EmailMessage(policy=_ASCII_POLICY if letter.words.subject.isascii() else _POLICY)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.words.subject
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.message_id}>"
    # Nobody's holiday note shall answer.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.words.text)
    message.add_alternative(letter.words.html, subtype="html")
    return message


def _answer(error: aiosmtplib.SMTPResponseException) -> Answer:
    if error.code == _CLOSING:
        raise MailServerAwayError(_described(error)) from error
    outcome = Outcome.REFUSED if error.code >= _PERMANENT else Outcome.DEFERRED
    return Answer(outcome, _described(error))


def _described(error: BaseException) -> str:
    """Return an error in a line; what a server says of our password stays out."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"signing in was refused with {error.code}"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return " ".join(f"{error.code} {error.message}".split())[:_SAID_MAX]
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_SAID_MAX]


async def _leave(client: SMTP) -> None:
    try:
        if client.is_connected:
            await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        return
    finally:
        client.close()

"""What the adapter of `Mailer` promises, shown with a real SMTP server."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coro_events.errors import MailServerAwayError
from coro_events.store.mailing import Words
from services.scheduler.mail.ports import Answer, Letter, Outcome
from services.scheduler.mail.servers import read_server
from services.scheduler.mail.smtp import SmtpMailer
from tests.contract.dispatcher.certificates import Authority, make_authority
from tests.support.clock import START
from tests.support.mail_server import MailServer
from tests.support.processes import free_port

SENDER = "Coro Webhooks <webhooks@example.com>"
WORDS = Words("Grüße aus dem Test", "Plain: ö\n", "<p>Rich: ö</p>")


def letter(to: str = "admin@acme.example.com") -> Letter:
    return Letter(message_id="one@example.com", to=to, words=WORDS, written_at=START)


def mailer(url: str, *, is_local: bool = True, tls: ssl.SSLContext | None = None) -> SmtpMailer:
    server = read_server(url, is_local=is_local)
    return SmtpMailer(server, sender=SENDER, limit_s=5, tls=tls or ssl.create_default_context())


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    server = MailServer()
    yield server
    await server.stop()


@pytest.fixture
def authority() -> Authority:
    return make_authority()


async def test_mail_arrives_with_both_parts_and_the_given_message_id(server: MailServer) -> None:
    await server.start()
    async with mailer(server.url()).session() as session:
        assert await session.send(letter()) == Answer(Outcome.TAKEN)
    (mail,) = server.received
    assert (mail.to, mail.sender, mail.subject) == ("admin@acme.example.com", "webhooks@example.com", WORDS.subject)
    assert (mail.text, mail.html.strip()) == (WORDS.text, WORDS.html)
    assert (mail.message_id, mail.message["From"]) == ("<one@example.com>", SENDER)
    assert mail.message["Date"].datetime == START
    assert mail.message.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize(
    "subject", ["Reminder: webhook version 1 expires on 20 November 2026 (Workspace acme)", "Grüße " * 30]
)
async def test_long_subject_arrives_as_it_was_written(server: MailServer, subject: str) -> None:
    await server.start()
    words = Words(subject.strip(), WORDS.text, WORDS.html)
    async with mailer(server.url()).session() as session:
        await session.send(Letter("one@example.com", "admin@acme.example.com", words, START))
    assert server.received[0].subject == subject.strip()


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_mail_goes_through_tls_with_user_and_password(
    server: MailServer, authority: Authority, tmp_path: Path, scheme: str
) -> None:
    server.tls, server.is_wrapped = authority.server_context(tmp_path), scheme == "smtps"
    server.user = ("coro@example.com", "p/ss:w@rd")
    await server.start()
    url = server.url("coro%40example.com:p%2Fss%3Aw%40rd@")
    async with mailer(url, is_local=False, tls=authority.client_context()).session() as session:
        assert (await session.send(letter())).outcome is Outcome.TAKEN
    (mail,) = server.received
    assert (mail.is_private, mail.user) == (True, "coro@example.com")


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_nothing_is_sent_when_nobody_vouches_for_the_server(
    server: MailServer, authority: Authority, tmp_path: Path, scheme: str
) -> None:
    server.tls, server.is_wrapped = authority.server_context(tmp_path), scheme == "smtps"
    await server.start()
    with pytest.raises(MailServerAwayError):
        async with mailer(server.url()).session():
            pass
    assert server.received == []


async def test_nothing_is_sent_in_the_clear_when_the_environment_is_not_local(server: MailServer) -> None:
    await server.start()
    with pytest.raises(MailServerAwayError):
        async with mailer(server.url(), is_local=False).session():
            pass


async def test_password_is_not_sent_in_the_clear_even_when_the_environment_is_local(server: MailServer) -> None:
    server.user = ("coro", "hidden-word")
    await server.start()
    with pytest.raises(MailServerAwayError) as away:
        async with mailer(server.url("coro:hidden-word@")).session():
            pass
    assert "hidden-word" not in str(away.value)


async def test_wrong_password_is_told_without_it(server: MailServer, authority: Authority, tmp_path: Path) -> None:
    server.tls, server.user = authority.server_context(tmp_path), ("coro", "right")
    await server.start()
    with pytest.raises(MailServerAwayError, match="signing in was refused with 535") as away:
        async with mailer(server.url("coro:hidden-word@"), tls=authority.client_context()).session():
            pass
    assert "hidden-word" not in str(away.value)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("550 No such user", Outcome.REFUSED),
        ("452 Mailbox full", Outcome.DEFERRED),
        ("450 Greylisted", Outcome.DEFERRED),
    ],
)
async def test_others_get_their_mail_when_one_recipient_is_not_taken(
    server: MailServer, reply: str, outcome: Outcome
) -> None:
    server.replies["gone@acme.example.com"] = reply
    await server.start()
    async with mailer(server.url()).session() as session:
        assert await session.send(letter("gone@acme.example.com")) == Answer(outcome, reply)
        assert (await session.send(letter())).outcome is Outcome.TAKEN
    assert [mail.to for mail in server.received] == ["admin@acme.example.com"]


async def test_conversation_has_ended_when_the_server_breaks_off(server: MailServer) -> None:
    server.loses.add(1)
    await server.start()
    with pytest.raises(MailServerAwayError):
        async with mailer(server.url()).session() as session:
            await session.send(letter())


async def test_server_counts_as_away_when_it_closes_the_conversation_politely(server: MailServer) -> None:
    server.replies["admin@acme.example.com"] = "421 Too many mails, good-bye"
    await server.start()
    with pytest.raises(MailServerAwayError, match="421 Too many mails"):
        async with mailer(server.url()).session() as session:
            await session.send(letter())


async def test_server_counts_as_away_when_nothing_listens() -> None:
    with pytest.raises(MailServerAwayError):
        async with mailer(f"smtp://127.0.0.1:{free_port()}").session():
            pass

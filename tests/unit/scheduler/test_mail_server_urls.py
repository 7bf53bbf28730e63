"""Which mail server a URL names."""

import pytest

from coro_events.errors import SettingsError
from services.scheduler.mail.servers import MailServer, read_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer("mail.example.com", 587, is_wrapped=False, is_plain_allowed=False)),
        ("smtps://mail.example.com/", MailServer("mail.example.com", 465, is_wrapped=True, is_plain_allowed=False)),
        (
            "smtp://mail.example.com:2525",
            MailServer("mail.example.com", 2525, is_wrapped=False, is_plain_allowed=False),
        ),
        (
            "smtps://coro%40example.com:p%2Fss%3Aw%40rd%25@[::1]:465",
            MailServer(
                "::1", 465, is_wrapped=True, is_plain_allowed=False, user="coro@example.com", password="p/ss:w@rd%"
            ),
        ),
    ],
)
def test_url_tells_host_port_tls_and_percent_decoded_credentials(url: str, server: MailServer) -> None:
    assert read_server(url, is_local=False) == server


def test_plain_mail_is_allowed_only_locally_and_without_a_password() -> None:
    assert read_server("smtp://127.0.0.1:1025", is_local=True).is_plain_allowed
    assert not read_server("smtp://user:password@127.0.0.1:1025", is_local=True).is_plain_allowed


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.com",
        "smtp://",
        "smtp://user:hidden-word@mail.example.com:port",
        "smtp://user:hidden-word@mail.example.com:0",
        "smtp://hidden-word@mail.example.com",
        "smtp://mail.example.com/path",
        "smtp://mail.example.com?starttls=never",
        "smtp://[::1",
    ],
)
def test_url_is_refused_without_repeating_it_when_it_is_of_another_form(url: str) -> None:
    with pytest.raises(SettingsError, match="CORO_SMTP_URL must be smtp://") as refused:
        read_server(url, is_local=True)
    assert "hidden-word" not in str(refused.value)


def test_password_is_not_shown() -> None:
    assert "hidden-word" not in repr(read_server("smtps://user:hidden-word@mail.example.com", is_local=False))

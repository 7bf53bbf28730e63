"""Which mail server CORO_SMTP_URL names, and how it is talked to."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from coro_events.errors import SettingsError

_PORTS = {"smtp": 587, "smtps": 465}
_FORM = "CORO_SMTP_URL must be smtp://user:password@host:port or smtps://user:password@host:port"


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server.

    Attributes:
        is_wrapped: TLS from the first byte; else by STARTTLS.
        is_plain_allowed: Whether mail goes out without TLS where the server offers none.
        password: In the clear.
    """

    host: str
    port: int
    is_wrapped: bool
    is_plain_allowed: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def read_server(url: str, *, is_local: bool) -> MailServer:
    """Read `smtp://` (STARTTLS) or `smtps://` (TLS from the start), with percent-encoded user and password.

    Without TLS mail goes out in local environments alone, and a password never.

    Raises:
        SettingsError: The URL is of another form; the message holds nothing of it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(_FORM) from None
    is_whole = parts.scheme in _PORTS and host and port != 0
    if not is_whole or parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingsError(_FORM)
    if (parts.username is None) != (parts.password is None):
        raise SettingsError(f"{_FORM}, with both user and password or neither")
    return MailServer(
        host=host or "",
        port=port or _PORTS[parts.scheme],
        is_wrapped=parts.scheme == "smtps",
        is_plain_allowed=is_local and parts.username is None,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )

"""The error tree. A class's docstring is its message; a detail may follow at the raise.

CoroError
├── ContractError            something that travels breaks the contract
│   ├── UndecodableRecord    a Kafka record that is no event
│   └── InvalidEvent         an event whose data breaks its schema
├── SettingsError            a process was started with settings it cannot use
├── SchemaBehindError        the database schema is older than the code
├── StoreUnavailableError    PostgreSQL did not answer or broke off; the same work may succeed later
├── SecretUnreadableError    a sealed value cannot be opened with the keys at hand
├── FenceLostError           another replica took over what this one was working on
├── MailServerAwayError      the mail server does not answer, or does not talk with us
└── PublishError             Kafka did not take an event
"""


class CoroError(Exception):
    """Something in Coro Webhooks went wrong."""

    def __init__(self, detail: str = "") -> None:
        """Keep the detail; the docstring of the class is the message."""
        message = (type(self).__doc__ or "").strip().splitlines()[0].rstrip(".")
        super().__init__(f"{message}: {detail}" if detail else message)
        self.detail = detail


class ContractError(CoroError):
    """What travels breaks the contract."""


class UndecodableRecord(ContractError):  # noqa: N818 - the word of the flow, shown to operators
    """The record is not an event."""


class InvalidEvent(ContractError):  # noqa: N818 - the word of the flow, shown to operators
    """The event breaks the schema of its type."""


class SettingsError(CoroError):
    """The settings cannot be used."""


class SchemaBehindError(CoroError):
    """The database schema is behind the code; run the migrations first."""


class StoreUnavailableError(CoroError):
    """The database is not available."""


class SecretUnreadableError(CoroError):
    """The sealed value cannot be opened with the keys in CORO_SECRET_KEYS."""


class FenceLostError(CoroError):
    """Another replica has taken over."""


class MailServerAwayError(CoroError):
    """The mail server is not available."""


class BrokerUnavailableError(CoroError):
    """Kafka is not available."""


class PublishError(CoroError):
    """Kafka did not take the event."""

"""Why a request may be refused, without HTTP; errors.py gives each its status.

CoroError
└── Refusal
    ├── InvalidInput           the input breaks a rule, field by field
    │   └── UnsupportedGrant   the token request is of a kind that we do not serve
    ├── UnreadableBody         the body is no JSON
    ├── BodyTooSlow            the body does not come
    ├── BodyTooLarge           the body is longer than any valid one
    ├── NotJson                the body says it is something else than JSON
    │   └── NotNdjson          it says it is something else than one JSON object a line
    ├── NotSignedIn            the access token is no longer good, or never was
    │   ├── NoToken            there is none
    │   └── NoSession          nobody is signed in to the console, or not any more
    ├── UnknownClient          client id and secret do not belong to a credential in force
    ├── SignInFailed           email address and password are not those of a user
    ├── ForeignForm            a form of the console was not sent by one of its pages
    ├── ProviderFailed         the OpenID provider does not answer, or not as it should
    ├── OutOfReach             the workspace is not the caller's, or does not exist
    ├── RoleTooLow             the caller's role does not allow it
    ├── NotFound               there is no such webhook in the workspace
    │   ├── NoSuchWorkspace    there is no such workspace within reach
    │   ├── NoSuchReplay       the webhook has no such replay
    │   ├── NoSuchDelivery     the webhook has no such delivery
    │   ├── NoSuchEvent        the workspace and those below have no such event
    │   ├── NoSuchDraft        the webhook has no draft
    │   └── NoSuchVersion      there is no such webhook version
    ├── NameTaken              another webhook of the workspace has the name
    ├── TooManyWebhooks        the workspace has as many as it may
    ├── NoSuchCredential       there is no such credential in the workspace
    ├── TooManyCredentials     the workspace has as many as it may
    ├── KeyReused              the idempotency key stands for another request
    ├── StillUnderWay          the request of that idempotency key is not answered yet
    ├── TooManyRequests        the credential asks more often than it may
    │   └── TooManyAttempts    sign-in has failed too often
    ├── WrongState             the webhook's state does not allow it
    ├── WrongDeliveryState     the delivery's state does not allow it
    ├── WrongWorkspaceState    the workspace's state does not allow it
    ├── WrongVersionState      the webhook versions do not allow it
    ├── SyncRunning            another sync of workspaces is at work
    ├── ReplayRunning          the webhook has a running replay
    ├── ReplayOver             the replay is not running any more
    └── EditConflict           the webhook was changed since it was read
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from coro_events.errors import CoroError


class Fault(NamedTuple):
    """What is wrong with one field of the input; never holds the value."""

    field: str
    message: str


class Refusal(CoroError):  # noqa: N818 - the words of the API, not those of Python; so are its heirs
    """The request is refused."""

    faults: Sequence[Fault] = ()
    # When the same request may be made again, in seconds; none where time does not help.
    retry_after_s: int | None = None


class InvalidInput(Refusal):
    """The request breaks the rules of its fields."""

    def __init__(self, *faults: Fault) -> None:
        """Keep the faults, at least one; each names its field."""
        first, *others = faults
        more = f"; and {len(others)} more, see errors" if others else ""
        super().__init__(f"{first.field} {first.message}{more}")
        self.faults = faults


class UnsupportedGrant(InvalidInput):
    """The grant type is not supported."""


class UnreadableBody(Refusal):
    """The body is not valid JSON."""


class BodyTooSlow(Refusal):
    """The body did not arrive in time."""


class BodyTooLarge(Refusal):
    """The body is too large."""


class NotJson(Refusal):
    """The body must be application/json."""


class NotNdjson(NotJson):
    """The body must be application/x-ndjson: one JSON object a line."""


class NotSignedIn(Refusal):
    """The request carries no valid access token."""


class NoToken(NotSignedIn):
    """The request carries no access token."""


class NoSession(NotSignedIn):
    """Nobody is signed in, or not any more."""


class SignInFailed(Refusal):
    """The email address or the password is not right."""


class ForeignForm(Refusal):
    """This form was not sent by a page of the console, or its session is over."""


class ProviderFailed(Refusal):
    """Sign-in at the other side did not work."""


class UnknownClient(Refusal):
    """The client id and secret are not those of a credential in force."""


class OutOfReach(Refusal):
    """The workspace is not within the caller's reach."""


class RoleTooLow(Refusal):
    """The caller's role does not allow this."""


class NotFound(Refusal):
    """There is no such webhook in this workspace."""


class NoSuchWorkspace(NotFound):
    """There is no such workspace within the caller's reach."""


class NoSuchReplay(NotFound):
    """There is no such replay of this webhook."""


class NoSuchDelivery(NotFound):
    """There is no such delivery of this webhook."""


class NoSuchEvent(NotFound):
    """There is no such event in this workspace or below it, or it is not kept any more."""


class NoSuchDraft(NotFound):
    """The webhook has no draft."""


class NoSuchVersion(NotFound):
    """There is no such webhook version."""


class NameTaken(Refusal):
    """Another webhook of this workspace has that name."""


class TooManyWebhooks(Refusal):
    """The workspace has as many webhooks as it may have."""


class NoSuchCredential(Refusal):
    """There is no such credential in this workspace."""


class TooManyCredentials(Refusal):
    """The workspace has as many credentials as it may have."""


class KeyReused(Refusal):
    """The idempotency key stands for another request."""


class StillUnderWay(Refusal):
    """The request of this idempotency key is still under way."""

    retry_after_s = 1


class TooManyRequests(Refusal):
    """There are too many requests."""

    def __init__(self, wait_s: float) -> None:
        """Tell when to come back."""
        self.retry_after_s = max(1, math.ceil(wait_s))
        super().__init__(f"try again in {self.retry_after_s} s")


class TooManyAttempts(TooManyRequests):
    """Sign-in has failed too often."""


class WrongState(Refusal):
    """The state of the webhook does not allow this."""


class WrongDeliveryState(Refusal):
    """The state of the delivery does not allow this."""


class WrongWorkspaceState(Refusal):
    """The state of the workspace does not allow this."""


class WrongVersionState(Refusal):
    """The lives of the webhook versions do not allow this."""


class SyncRunning(Refusal):
    """Another sync of workspaces is at work; try again when it is over."""


class ReplayRunning(Refusal):
    """The webhook has a running replay."""


class ReplayOver(Refusal):
    """The replay is not running any more."""


class EditConflict(Refusal):
    """The webhook was changed since it was read."""

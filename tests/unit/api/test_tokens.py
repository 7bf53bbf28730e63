"""Access tokens: signed, timed, and read with any key of the ring."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from services.api.access.roles import Role, allows
from services.api.access.tokens import ISSUER, Tokens
from services.api.refusals import NotSignedIn
from tests.support.clock import FakeClock

OLD, NEW = b"o" * 32, b"n" * 32
LIFE_S = 86_400


def make_tokens(clock: FakeClock, **keys: bytes) -> Tokens:
    """Make tokens with a ring of keys, by default of one."""
    return Tokens(keys or {"old": OLD}, life_s=LIFE_S, clock=clock)


def test_client_is_read_when_the_token_is_fresh(clock: FakeClock) -> None:
    tokens = make_tokens(clock)

    assert tokens.client_of(tokens.issue(client_id="billing", audience="https://api.example")) == "billing"


def test_token_names_its_key_and_its_times(clock: FakeClock) -> None:
    token = make_tokens(clock).issue(client_id="billing", audience="https://api.example")

    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert header == {"typ": "JWT", "alg": "HS256", "kid": "old"}
    assert claims["exp"] - claims["iat"] == LIFE_S
    assert claims["aud"] == "https://api.example"


async def test_token_is_refused_when_its_time_is_over(clock: FakeClock) -> None:
    tokens = make_tokens(clock)
    token = tokens.issue(client_id="billing", audience="a")

    await clock.advance(LIFE_S - 1)
    assert tokens.client_of(token) == "billing"
    await clock.advance(1)
    with pytest.raises(NotSignedIn):
        tokens.client_of(token)


def test_token_outlives_the_rotation_but_not_its_key(clock: FakeClock) -> None:
    token = make_tokens(clock).issue(client_id="billing", audience="a")

    assert make_tokens(clock, new=NEW, old=OLD).client_of(token) == "billing"
    with pytest.raises(NotSignedIn):
        make_tokens(clock, new=NEW).client_of(token)
    with pytest.raises(NotSignedIn):
        make_tokens(clock, old=NEW).client_of(token)


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "....", "é.é.é", "x" * 5000, "e30.e30.e30"])
def test_token_is_refused_when_it_is_none(clock: FakeClock, token: str) -> None:
    with pytest.raises(NotSignedIn):
        make_tokens(clock).client_of(token)


@pytest.mark.parametrize("missing", ["iss", "sub", "exp"])
def test_token_is_refused_when_a_claim_is_missing(clock: FakeClock, missing: str) -> None:
    claims = {"iss": ISSUER, "sub": "billing", "exp": int(clock.now().timestamp()) + 60}
    del claims[missing]
    token = jwt.encode({"alg": "HS256", "kid": "old"}, claims, OctKey.import_key(OLD))

    with pytest.raises(NotSignedIn):
        make_tokens(clock).client_of(token)


def test_token_is_refused_when_it_is_unsigned_or_names_no_key(clock: FakeClock) -> None:
    tokens = make_tokens(clock)
    header, claims, signature = tokens.issue(client_id="billing", audience="a").split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","kid":"old"}').decode().rstrip("=")
    keyless = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")

    for forged in (f"{unsigned}.{claims}.", f"{unsigned}.{claims}.{signature}", f"{keyless}.{claims}.{signature}"):
        with pytest.raises(NotSignedIn):
            tokens.client_of(forged)
    with pytest.raises(NotSignedIn):
        tokens.client_of(f"{header}.{claims}.{signature[:-2]}AA")


@pytest.mark.parametrize(
    ("held", "needed", "allowed"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.ADMINISTRATOR, False),
        (Role.ADMINISTRATOR, Role.VIEWER, True),
        (Role.ADMINISTRATOR, Role.SUPER_ADMIN, False),
        (Role.SUPER_ADMIN, Role.ADMINISTRATOR, True),
        (Role.SUPER_ADMIN, Role.SERVICE, False),
        (Role.SERVICE, Role.VIEWER, False),
        (Role.SERVICE, Role.SERVICE, True),
    ],
)
def test_role_allows_what_is_below_it(held: Role, needed: Role, *, allowed: bool) -> None:
    assert allows(held, needed) is allowed

"""Access tokens: signed with the first key of a ring, accepted with any of them."""

import uuid
from collections.abc import Mapping

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OctKey

from coro_events.runtime.clock import Clock
from services.api.refusals import NotSignedIn

ALGORITHM = "HS256"
ISSUER = "coro-webhooks"
# Ours have some 350 characters; a longer one is not worth the decoding.
MAX_TOKEN_CHARACTERS = 4096


class Tokens:
    """Issues access tokens and reads them."""

    def __init__(self, keys: Mapping[str, bytes], *, life_s: int, clock: Clock) -> None:
        self.life_s = life_s
        self._clock = clock
        self._ring = {key_id: OctKey.import_key(key) for key_id, key in keys.items()}
        self._current = next(iter(keys))

    def issue(self, *, client_id: str, audience: str) -> str:
        """Return a fresh token of a client."""
        now_s = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "sub": client_id,
            "aud": audience,
            "iat": now_s,
            "exp": now_s + self.life_s,
            "jti": uuid.uuid4().hex,
        }
        header = {"alg": ALGORITHM, "kid": self._current}
        return jwt.encode(header, claims, self._ring[self._current], algorithms=[ALGORITHM])

    def client_of(self, token: str) -> str:
        """Return the client that a token was issued to.

        Raises:
            NotSignedIn: It is none of ours, was signed with a key that has left the ring, or its time is over.
        """
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise NotSignedIn
        try:
            claims = jwt.decode(token, self._key_of, algorithms=[ALGORITHM]).claims
            registry = jwt.JWTClaimsRegistry(
                now=int(self._clock.now().timestamp()),
                iss={"essential": True, "value": ISSUER},
                sub={"essential": True},
                exp={"essential": True},
            )
            registry.validate(claims)
        except (JoseError, ValueError) as error:
            # The reason would help whoever forges; a client needs a new token in any case.
            raise NotSignedIn from error
        return str(claims["sub"])

    def _key_of(self, token: GuestProtocol) -> OctKey:
        key = self._ring.get(str(token.headers().get("kid")))
        if key is None:
            raise NotSignedIn
        return key

"""Sign-in by OpenID Connect: authorization code with PKCE, state and nonce; who comes back must be a known user."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey

from coro_events.runtime.clock import Clock
from services.api.refusals import ProviderFailed, SignInFailed
from services.api.sessions.ports import Endpoints, Provider, SessionStore, User

# What a provider may sign with: public keys only, so never `none` and never its client's secret.
ALGORITHMS = ["RS256", "PS256", "ES256", "RS384", "RS512", "ES384", "PS384", "PS512", "EdDSA"]
SCOPE = "openid email"
# How long somebody may take at the provider.
AWAY_S = 600
# Clocks of others go wrong by so much.
LEEWAY_S = 60
DISCOVERY_LIFE_S = 3600
_OWN_ALGORITHM = "HS256"
_CHANCE_BYTES = 32


class Client(NamedTuple):
    """What the provider knows us by."""

    issuer: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        """Tell who, and no secret."""
        return f"Client({self.client_id})"


class Departure(NamedTuple):
    """Where to send the browser, and what it must bring back in a cookie."""

    url: str
    cookie: str


class Arrival(NamedTuple):
    """What came back from the provider.

    Attributes:
        cookie: As `Departure` gave it.
        redirect_uri: The same as at departure.
    """

    state: str
    code: str
    cookie: str
    redirect_uri: str


class OpenId:
    """Signs people in at one OpenID provider."""

    def __init__(self, *, client: Client, provider: Provider, store: SessionStore, key: bytes, clock: Clock) -> None:
        """Make it; `key` signs what the browser keeps while it is away."""
        self._client = client
        self._provider = provider
        self._store = store
        self._key = OctKey.import_key(key)
        self._clock = clock
        self._known: tuple[Endpoints, KeySet] | None = None
        self._known_until_s = 0.0

    async def depart(self, *, redirect_uri: str, then: str) -> Departure:
        """Return where to send the browser.

        Args:
            redirect_uri: Where the provider sends it back to.
            then: The path to open after sign-in.

        Raises:
            ProviderFailed: The provider does not answer.
        """
        endpoints, _ = await self._provider_now()
        state, nonce, verifier = (secrets.token_urlsafe(_CHANCE_BYTES) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in endpoints.authorization else "?"
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "then": then, "exp": self._now_s() + AWAY_S}
        cookie = jwt.encode({"alg": _OWN_ALGORITHM}, kept, self._key, algorithms=[_OWN_ALGORITHM])
        return Departure(f"{endpoints.authorization}{joint}{urlencode(query)}", cookie)

    async def arrive(self, arrival: Arrival) -> tuple[User, str]:
        """Return who has signed in, and the path to open.

        Raises:
            SignInFailed: The browser did not begin here, took too long, or the provider vouches for no user of ours.
            ProviderFailed: The provider does not answer, or its answer is not good.
        """
        kept = self._read_cookie(arrival.cookie)
        if not secrets.compare_digest(str(kept["state"]).encode(), arrival.state.encode("utf-8", "replace")):
            raise SignInFailed("it was not begun in this browser; begin again")
        endpoints, keys = await self._provider_now()
        form = {
            "grant_type": "authorization_code",
            "code": arrival.code,
            "redirect_uri": arrival.redirect_uri,
            "code_verifier": str(kept["verifier"]),
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
        }
        tokens = await self._provider.exchange(endpoints, form)
        claims = await self._claims(endpoints, keys, str(tokens.get("id_token", "")), nonce=str(kept["nonce"]))
        if not claims.get("email") and endpoints.userinfo is not None:
            told = await self._provider.userinfo(endpoints, str(tokens.get("access_token", "")))
            # OpenID Connect Core, section 5.3.2: what is told of another subject must not be used.
            claims = {**told, **claims} if told.get("sub") == claims["sub"] else claims
        return await self._user(claims), str(kept["then"])

    async def _user(self, claims: Mapping[str, Any]) -> User:
        """Return the user by what the provider calls it, or link it by its verified address."""
        issuer, subject = self._client.issuer, str(claims["sub"])
        user = await self._store.user_by_subject(issuer, subject)
        if user is not None:
            return user
        email = str(claims.get("email") or "").strip().lower()
        if not email or claims.get("email_verified") is not True:
            raise SignInFailed("the provider does not vouch for an email address")
        user = await self._store.user_by_email(email)
        if user is None or user.oidc_subject is not None:
            raise SignInFailed("there is no user here with the email address that the provider names")
        await self._store.link(user, issuer=issuer, subject=subject)
        return user

    async def _claims(self, endpoints: Endpoints, keys: KeySet, id_token: str, *, nonce: str) -> Mapping[str, Any]:
        try:
            return self._read_id_token(id_token, keys, nonce)
        except (JoseError, ValueError):
            # The provider may have changed its keys since they were fetched.
            fresh = await self._provider.keys(endpoints)
            self._known = (endpoints, fresh)
        try:
            return self._read_id_token(id_token, fresh, nonce)
        except (JoseError, ValueError) as error:
            raise ProviderFailed("its answer is not valid") from error

    def _read_id_token(self, id_token: str, keys: KeySet, nonce: str) -> Mapping[str, Any]:
        claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
        registry = jwt.JWTClaimsRegistry(
            now=self._now_s(),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._client.issuer},
            aud={"essential": True, "value": self._client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
        )
        registry.validate(claims)
        # OpenID Connect Core, section 3.1.3.7: where it is for several, it must have been asked for by us.
        if claims.get("azp", self._client.client_id) != self._client.client_id:
            raise ValueError("the token was made for another client")
        return claims

    def _read_cookie(self, cookie: str) -> Mapping[str, Any]:
        try:
            kept = jwt.decode(cookie, self._key, algorithms=[_OWN_ALGORITHM]).claims
            jwt.JWTClaimsRegistry(now=self._now_s(), exp={"essential": True}).validate(kept)
        except (JoseError, ValueError) as error:
            raise SignInFailed("it was not begun in this browser, or took too long; begin again") from error
        return kept

    async def _provider_now(self) -> tuple[Endpoints, KeySet]:
        """Return endpoints and keys, looked up once an hour."""
        if self._known is None or self._clock.monotonic() >= self._known_until_s:
            endpoints = await self._provider.discover(self._client.issuer)
            self._known = (endpoints, await self._provider.keys(endpoints))
            self._known_until_s = self._clock.monotonic() + DISCOVERY_LIFE_S
        return self._known

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())

"""An OpenID provider over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.api.refusals import ProviderFailed
from services.api.sessions.ports import Endpoints

LIMIT_S = 5.0
_DISCOVERY = "/.well-known/openid-configuration"


class HttpProvider:
    """Speaks to an OpenID provider; every failure is a ProviderFailed."""

    def __init__(self) -> None:
        # Redirects are not followed: the endpoints are named by the provider itself.
        self._client = httpx.AsyncClient(timeout=LIMIT_S, follow_redirects=False, trust_env=False)

    async def discover(self, issuer: str) -> Endpoints:
        """Return the provider's endpoints."""
        found = await self._asked("GET", issuer.rstrip("/") + _DISCOVERY)
        try:
            endpoints = Endpoints(
                issuer=str(found["issuer"]),
                authorization=str(found["authorization_endpoint"]),
                token=str(found["token_endpoint"]),
                keys=str(found["jwks_uri"]),
                userinfo=str(found["userinfo_endpoint"]) if "userinfo_endpoint" in found else None,
            )
        except KeyError as error:
            raise ProviderFailed("its description of itself lacks something") from error
        # OpenID Connect Discovery, section 4.3: else one provider could speak for another.
        if endpoints.issuer != issuer:
            raise ProviderFailed("it names another issuer than CORO_OIDC_ISSUER")
        return endpoints

    async def keys(self, endpoints: Endpoints) -> KeySet:
        """Return the keys that it signs with."""
        found: Any = await self._asked("GET", endpoints.keys)
        try:
            return KeySet.import_key_set(found)
        except (JoseError, ValueError, KeyError) as error:
            raise ProviderFailed("its keys cannot be read") from error

    async def exchange(self, endpoints: Endpoints, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Exchange an authorization code for tokens."""
        return await self._asked("POST", endpoints.token, data=dict(form))

    async def userinfo(self, endpoints: Endpoints, access_token: str) -> Mapping[str, Any]:
        """Return what it tells about the user."""
        if endpoints.userinfo is None:
            return {}
        return await self._asked("GET", endpoints.userinfo, headers={"Authorization": f"Bearer {access_token}"})

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _asked(self, method: str, url: str, **arguments: Any) -> Mapping[str, Any]:
        try:
            answer = await self._client.request(method, url, **arguments)
            found = answer.raise_for_status().json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # What it said may hold a token.
            raise ProviderFailed("it does not answer as it should; try again, or sign in with a password") from error
        if not isinstance(found, dict):
            raise ProviderFailed("its answer cannot be read")
        return found

"""The demo: an MSP with two child workspaces, an admin, an API credential and a webhook to the demo receiver."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.local.commands import coro
from deploy.local.errors import LocalError
from deploy.local.keys import Credential, Keys
from deploy.local.plan import Plan

ROOT_WORKSPACE = "demo_msp"
CHILD_WORKSPACES = ("demo_child_one", "demo_child_two")
ADMIN_EMAIL = "admin@demo-msp.example"
WEBHOOK_NAME = "Demo receiver"

_AUDIENCE = "https://api.secure.coro.net"
_HTTP_LIMIT_S = 30
_TRIGGERS = (
    "workspaceCreated",
    "workspaceStatusUpdated",
    "subscriptionUpdated",
    "protectedUsersAdded",
    "protectedUsersUpdated",
    "protectedUsersDeleted",
    "protectedUsersCountUpdated",
    "protectedDevicesAdded",
    "protectedDevicesUpdated",
    "protectedDevicesDeleted",
    "protectedDevicesCountUpdated",
)


@dataclass(frozen=True)
class Seeder:
    """Makes each part of the demo if it is not there yet."""

    env: Mapping[str, str]
    keys: Keys
    plan: Plan

    @property
    def _database(self) -> str:
        return self.plan.given_database_url or "embedded"

    def workspaces_and_admin(self) -> None:
        """Make the tree and its admin.

        Raises:
            LocalError: a command failed.
        """
        self._workspace(ROOT_WORKSPACE, "channel", "Demo MSP")
        for number, child in zip(("One", "Two"), CHILD_WORKSPACES, strict=True):
            self._workspace(child, "child", f"Demo Child {number}", "--parent", ROOT_WORKSPACE)
        coro(
            *("users", "create", ADMIN_EMAIL),
            *("--workspace", ROOT_WORKSPACE, "--role", "super_admin"),
            *("--password-file", str(self.keys.admin_password_file)),
            env=self.env,
        )

    def credential(self) -> Credential:
        """Return the demo's API credential; its secret was kept when it was made.

        Raises:
            LocalError: the command failed.
        """
        return self.keys.credential(self._database) or self._new_credential()

    def webhook(self) -> Credential:
        """Make the webhook by REST, or lead the existing one to where the receiver is now.

        Returns the credential that works: a new one where the kept one was revoked.

        Raises:
            LocalError: the API refused.
        """
        credential = self.credential()
        with httpx.Client(base_url=self.plan.api_url, timeout=_HTTP_LIMIT_S) as client:
            try:
                token = _token(client, credential)
            except _RefusedError:
                credential = self._new_credential()
                token = _token(client, credential)
            client.headers.update({"Authorization": f"Bearer {token}", "Workspace": ROOT_WORKSPACE})
            listed = _answer(client.get("/v1/settings/webhooks", params={"pageSize": 100}))["items"]
            found = next((one for one in listed if one["name"] == WEBHOOK_NAME), None)
            if found is None:
                _answer(client.post("/v1/settings/webhooks", json=self._wanted()))
            elif found["url"] != self.plan.receiver_url:
                _answer(client.put(f"/v1/settings/webhooks/{found['id']}", json=self._wanted()))
        return credential

    def _wanted(self) -> dict[str, Any]:
        return {
            "name": WEBHOOK_NAME,
            "description": "What happens in this workspace and its children, for the demo receiver.",
            "url": self.plan.receiver_url,
            "secret": self.keys.receiver_secret_file.read_text(encoding="utf-8"),
            "applyToAllDescendants": True,
            "triggers": [f"{trigger}.v1" for trigger in _TRIGGERS],
        }

    def _workspace(self, workspace: str, kind: str, display_name: str, *more: str) -> None:
        described = ("--type", kind, "--display-name", display_name, *more)
        coro("workspaces", "create", workspace, *described, env=self.env)

    def _new_credential(self) -> Credential:
        answer = coro(
            *("credentials", "create", "--name", "Demo"),
            *("--workspace", ROOT_WORKSPACE, "--role", "administrator"),
            env=self.env,
        )
        credential = Credential(answer["client_id"], answer["client_secret"])
        self.keys.keep_credential(self._database, credential)
        return credential


class _RefusedError(LocalError):
    """The API does not know the credential."""


def _token(client: httpx.Client, credential: Credential) -> str:
    request = {
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
        "audience": _AUDIENCE,
        "grant_type": "client_credentials",
    }
    token: str = _answer(client.post("/oauth/token", json=request))["access_token"]
    return token


def _answer(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    kind = _RefusedError if response.status_code == httpx.codes.UNAUTHORIZED else LocalError
    place = f"{response.request.method} {response.request.url.path}"
    raise kind(f"Seeding the demo failed: {place} answered {response.status_code}: {response.text[:300]}")

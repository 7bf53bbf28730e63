"""A workspace of one test: its webhooks by REST, its children and events by Kafka."""

import itertools
import uuid
from typing import Any

import httpx

from coro_events.contract.envelope import Event
from coro_events.contract.triggers import Trigger, rest_name
from tests.end_to_end.stack import LIMIT_S, ROOT, Stack
from tests.support.receiver import Received
from tests.support.waiting import wait_until
from tests.unit.api.bodies import make_body

WEBHOOKS = "/v1/settings/webhooks"
ALL_TRIGGERS = [rest_name(trigger, 1) for trigger in Trigger]
COUNT_UPDATED = Trigger.PROTECTED_USERS_COUNT_UPDATED
SECRET = "a secret that only the two of us know"

_numbers = itertools.count(1)


class Workspace:
    """One node of the tree."""

    def __init__(self, stack: Stack, workspace_id: str) -> None:
        self.stack = stack
        self.id = workspace_id

    async def child(self, *, kind: str = "channel") -> "Workspace":
        """Create a workspace below this one by an event; return once the API knows it."""
        made = Workspace(self.stack, new_id())
        await self.announce(made.id, kind=kind)

        async def is_known() -> bool:
            return (await made.call("GET", WEBHOOKS)).is_success

        await wait_until(is_known, what=f"workspace {made.id} to be known", limit_s=LIMIT_S)
        return made

    async def announce(self, child_id: str, *, kind: str = "child") -> Event:
        """Emit `workspace-created` for a new workspace below this one."""
        data = {
            "id": child_id,
            "companyName": f"Company {child_id}",
            "displayName": f"Workspace {child_id}",
            "type": kind,
            "domain": "child.example.com",
            "parentWorkspaceId": self.id,
            "status": "new",
        }
        return await self.stack.producer.emit(Trigger.WORKSPACE_CREATED, child_id, data)

    async def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Call the API for this workspace."""
        return await self.stack.api.request(method, path, headers={"Workspace": self.id}, **arguments)

    async def webhook(self, url: str, **changes: Any) -> dict[str, Any]:
        """Create a webhook on every trigger; return the API's answer."""
        wanted = {"name": f"Webhook {next(_numbers)}", "secret": SECRET, "triggers": ALL_TRIGGERS}
        answer = await self.call("POST", WEBHOOKS, json=make_body(url=url, **wanted | changes))
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def read(self, webhook: dict[str, Any]) -> dict[str, Any]:
        """Read a webhook as it is now."""
        answer = await self.call("GET", f"{WEBHOOKS}/{webhook['id']}")
        assert answer.status_code == 200, answer.text
        now: dict[str, Any] = answer.json()
        return now

    async def edit(self, webhook: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Change a webhook, from what the API last said of it."""
        answer = await self.call("PUT", f"{WEBHOOKS}/{webhook['id']}", json=webhook | changes)
        assert answer.status_code == 200, answer.text
        now: dict[str, Any] = answer.json()
        return now

    async def count(self, protected: int) -> Event:
        """Emit that so many users are protected now; the number tells the events of a test apart."""
        return await self.stack.producer.emit(COUNT_UPDATED, self.id, {"protectedCount": protected})


def new_id() -> str:
    """Return the id of a workspace that is not there yet."""
    return f"workspace_{uuid.uuid4().hex[:12]}"


async def new_workspace(stack: Stack) -> Workspace:
    """Create a workspace that no other test uses."""
    return await Workspace(stack, ROOT).child()


def counts(requests: list[Received]) -> list[int]:
    """Return the numbers of the counting events among requests, in the order in which they came."""
    return [one.json()["data"]["protectedCount"] for one in requests if is_of(one, COUNT_UPDATED.value)]


def is_of(request: Received, hook_type: str) -> bool:
    """Tell whether a request is of a type."""
    return request.headers["x-coro-hook-type"] == hook_type


def events(requests: list[Received]) -> list[Received]:
    """Return the requests that are no tests."""
    return [one for one in requests if not is_of(one, "test")]
